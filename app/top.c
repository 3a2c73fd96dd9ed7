/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast top`: samples of a running instance, shown by ncurses; as plain text with --once, or where input
 * or output is no terminal. */
#include "top.h"

#include <curses.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <time.h>
#include <unistd.h>

#include "config.h"

static const char usage[] =
	"Usage: handfast top [options]\n\n"
	"Show a running handfast: rates, states, TIME-WAIT, workers, drops, books, pools. q ends it.\n\n"
	"      --interval TIME   between two looks: 0.1 to 60 seconds [1]\n"
	"      --once            one look as plain text, its rates over one interval\n"
	"      --pid N           which instance, when several run\n"
	"      --file-prefix P   ... by EAL's --file-prefix\n"
	"  -h, --help            this text\n\n"
	"Exit status: 0, also when the instance ends; 2 usage, 3 no instance runs, or the terminal is unknown.\n";

struct options {
	double interval;
	bool once;
	long pid;
	const char *prefix;
};

enum { OPTION_PID = 1000, OPTION_PREFIX, OPTION_INTERVAL, OPTION_ONCE };

static int refuse(struct hf_error *why, const char *what, const char *text)
{
	snprintf(why->text, sizeof(why->text), "%s: '%.40s' %s", what, text,
		 strcmp(what, "--pid") == 0 ? "is no process" : "is not 0.1 to 60 seconds");
	return -EINVAL;
}

static int read_options(int argc, char **argv, struct options *o, struct hf_error *why)
{
	static const struct option longs[] = {
		{ "pid", 1, NULL, OPTION_PID },
		{ "file-prefix", 1, NULL, OPTION_PREFIX },
		{ "interval", 1, NULL, OPTION_INTERVAL },
		{ "once", 0, NULL, OPTION_ONCE },
		{ "help", 0, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char *end;
	int c;

	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		switch (c) {
		case OPTION_PID:
			o->pid = strtol(optarg, &end, 10);
			if (o->pid <= 0 || *end)
				return refuse(why, "--pid", optarg);
			break;
		case OPTION_PREFIX:
			o->prefix = optarg;
			break;
		case OPTION_INTERVAL:
			o->interval = strtod(optarg, &end);
			if (!(o->interval >= 0.1 && o->interval <= 60) ||
			    (*end && strcmp(end, "s") != 0))
				return refuse(why, "--interval", optarg);
			break;
		case OPTION_ONCE:
			o->once = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			return option_refuse(c, ":h", argv, why);
		}
	}
	if (optind == argc)
		return 0;
	snprintf(why->text, sizeof(why->text), "'%.60s' is no option; --help lists them",
		 argv[optind]);
	return -EINVAL;
}

/* ---- Screens ------------------------------------------------------------------------------------- */

static void show(const char *text)
{
	int line = 0;

	erase();
	for (const char *start = text; *start && line < LINES; line++) {
		const size_t len = strcspn(start, "\n");

		mvaddnstr(line, 0, start, (int)len);
		start += len + (start[len] == '\n');
	}
	refresh();
}

/* Sleep, or wait for a key. @return whether to end */
static bool wait_interval(const struct options *o, bool curses)
{
	const int ms = (int)(o->interval * 1000);
	const struct timespec interval = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	int key;

	if (!curses) {
		nanosleep(&interval, NULL);
		return false;
	}
	timeout(ms);
	key = getch();
	return key == 'q' || key == 3;
}

/* @return 0 at the user's wish; -EIO when the instance has gone */
static int watch(struct instance *in, const struct options *o, bool curses, struct hf_error *why)
{
	struct top_sample last, now;
	int rc = top_sample_take(in, &last, why);
	bool end = false;

	while (rc == 0 && !end) {
		char *text = NULL;
		size_t size;
		FILE *out;

		end = wait_interval(o, curses);
		rc = top_sample_take(in, &now, why);
		if (rc < 0)
			break;
		out = open_memstream(&text, &size);
		if (out) {
			top_view(in, &last, &now, out);
			if (fclose(out) != 0)
				rc = -ENOMEM;
			else if (curses)
				show(text);
			else
				printf("%s%s", text, o->once ? "" : "\n");
		}
		free(text);
		top_sample_drop(&last);
		last = now;
		end |= o->once || (!curses && fflush(stdout) != 0);
	}
	top_sample_drop(&last);
	return rc;
}

/* @return as watch; -ENOTTY */
static int watch_screen(struct instance *in, const struct options *o, struct hf_error *why)
{
	SCREEN *screen = NULL;
	int rc;

	if (setupterm(NULL, STDOUT_FILENO, &rc) == OK) {
		del_curterm(set_curterm(NULL)); /* it is known; newterm, where it is not, would leak */
		screen = newterm(NULL, stdout, stdin);
	}
	if (!screen) {
		snprintf(why->text, sizeof(why->text),
			 "the terminal '%.40s' is unknown: set TERM, or use --once",
			 getenv("TERM") ? getenv("TERM") : "");
		return -ENOTTY;
	}
	raw();
	noecho();
	curs_set(0);
	rc = watch(in, o, true, why);
	endwin();
	delscreen(screen);
	return rc;
}

int top_run(int argc, char **argv, const char *program)
{
	struct options o = { .interval = 1, .prefix = "" };
	struct hf_error why = { "" };
	struct instance in;
	int rc = read_options(argc, argv, &o, &why);

	if (rc > 0)
		return STATUS_OK;
	if (rc < 0) {
		fprintf(stderr, "%s: top: %s\n", program, why.text);
		return STATUS_USAGE;
	}
	rc = instance_open(o.prefix, o.pid, &in, &why);
	if (rc == 0) {
		rc = o.once || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ?
			     watch(&in, &o, false, &why) :
			     watch_screen(&in, &o, &why);
		instance_close(&in);
		if (rc == -EIO && !o.once) { /* it has ended, and so do we */
			fprintf(stderr, "%s: top: %s\n", program, why.text);
			return STATUS_OK;
		}
	}
	if (rc < 0)
		fprintf(stderr, "%s: top: %s\n", program, why.text);
	return rc == 0 ? STATUS_OK : rc == -EEXIST ? STATUS_USAGE : STATUS_ENVIRONMENT;
}
