/* SPDX-License-Identifier: BSD-3-Clause */
/* Command lines by getopt_long over the table of rows, and the help that comes from it; called by main.c. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>

#define MAX_ROWS 128
#define FIRST 1000 /* what getopt_long returns for row i is FIRST + i */
#define HELP 'h'
#define TAKERS_ROOM 80 /* all commands' names */

struct grammar {
	struct option longs[MAX_ROWS + 2];
	char shorts[2 * MAX_ROWS];
};

static void grammar_make(struct grammar *g, enum command command)
{
	size_t n = 0, k = 0;

	memset(g, 0, sizeof(*g));
	g->shorts[k++] = ':'; /* tell a missing argument from an unknown option */
	g->shorts[k++] = HELP;
	g->longs[n++] = (struct option){ "help", no_argument, NULL, HELP };
	for (size_t i = 0; i < config_row_count; i++) {
		const struct row *row = &config_rows[i];

		if (!row->option || !(row->commands & command))
			continue;
		g->longs[n++] = (struct option){ row->option,
						 row->type == VALUE_BOOL ? optional_argument :
									   required_argument,
						 NULL, FIRST + (int)i };
		if (row->letter) {
			g->shorts[k++] = row->letter;
			if (row->type != VALUE_BOOL)
				g->shorts[k++] = ':';
		}
	}
}

static const char *command_usage(enum command command)
{
	switch (command) {
	case COMMAND_PAIR:
		return "pair";
	case COMMAND_LOAD:
		return "load --dev DEVICE --addr ADDR/LEN --target ADDR:PORT";
	case COMMAND_SERVE:
		return "serve --dev DEVICE --addr ADDR/LEN --listen ADDR:PORT";
	case COMMAND_REPLAY:
		return "replay IN.pcap OUT.pcap";
	case COMMAND_DOCTOR:
		return "doctor [-c PROFILE | --dev DEVICE --addr ADDR/LEN]";
	case COMMAND_TRACE:
		return "trace FILE";
	case COMMAND_CONFIG:
		break;
	}
	return "config --check|--print";
}

static const char *command_purpose(enum command command)
{
	switch (command) {
	case COMMAND_PAIR:
		return "Open, use and close TCP connections between two ends in this process.";
	case COMMAND_LOAD:
		return "Open, use and close TCP connections with a server elsewhere.";
	case COMMAND_SERVE:
		return "Answer TCP connections from anywhere, until a signal, --duration or --count.";
	case COMMAND_REPLAY:
		return "Answer the frames of a capture under its own clock, into another capture.\n"
		       "Calls: connect ADDR:PORT [ADDR:PORT of ours], send N OCTETS, recv N OCTETS, shutdown N,\n"
		       "close N, abort N, status N; N counts connections from 1, as they come.";
	case COMMAND_DOCTOR:
		return "Say what this machine lacks for a profile, and the line that mends it; exit status 3 if so.";
	case COMMAND_TRACE:
		return "Print the TCP segments of a capture (pcap or pcapng; - is stdin) as tcpdump -n does, with\n"
		       "the connection's number and the state each end moves to, the sender's first: inferred, ~.";
	case COMMAND_CONFIG:
		break;
	}
	return "Check the settings, or print them as a profile with the memory they take: for load where there is\n"
	       "a device and a target, for serve where there is a device alone, else for pair.";
}

static void help_print(enum command command)
{
	static const char *const argument[] = {
		[VALUE_COUNT] = " N",
		[VALUE_SIZE] = " OCTETS",
		[VALUE_RATE] = " N/s",
		[VALUE_MSEC] = " TIME",
		[VALUE_USEC] = " TIME",
		[VALUE_ADDRESS4] = " ADDR",
		[VALUE_ADDRESS6] = " ADDR",
		[VALUE_RANGE4] = " ADDR[-ADDR]",
		[VALUE_RANGE6] = " ADDR[-ADDR]",
		[VALUE_PREFIXES] = " ADDR/LEN",
		[VALUE_HOSTS] = " ADDR",
		[VALUE_SPANS] = " ADDR[-ADDR]",
		[VALUE_LISTENS] = " ADDR:PORT[-PORT]",
		[VALUE_TARGETS] = " ADDR:PORT",
		[VALUE_MAC] = " MAC",
		[VALUE_PORTS] = " PORT-PORT",
		[VALUE_CORES] = " LIST",
		[VALUE_IMPAIR] = " LIST",
		[VALUE_TEXT] = " TEXT",
		[VALUE_SET] = " KEY=VALUE",
		[VALUE_BOOL] = "",
	};

	printf("Usage: handfast [EAL options --] %s [options]\n\n%s\n\nOptions [default]:\n",
	       command_usage(command), command_purpose(command));
	for (size_t i = 0; i < config_row_count; i++) {
		const struct row *row = &config_rows[i];
		char letter[8] = "    ", left[96], range[TEXT_ROOM];

		if (!row->option || !(row->commands & command))
			continue;
		if (row->letter)
			snprintf(letter, sizeof(letter), "-%c, ", row->letter);
		value_range(row, range);
		snprintf(left, sizeof(left), "%s--%s%s%.60s", letter, row->option,
			 row->type == VALUE_WORD ? " " : argument[row->type],
			 row->type == VALUE_WORD ? row->words : "");
		printf("  %-34s %s%s", left,
		       strlen(left) > 34 ? "\n                                     " : "", row->help);
		if (row->preset[0] && row->type != VALUE_BOOL)
			printf(" [%s]", row->preset);
		putchar('\n');
	}
	printf("  -h, --help                         this text\n\n"
	       "Further keys, the protocol's knobs among them, are set in a profile or by --set:\n"
	       "handfast config --print lists them. Times: 60s, 500ms. Numbers: 4096, 64Ki, 2M.\n");
}

/* The commands that take this option: "load, serve and doctor", or "". */
static void takers(const char *option, char text[TAKERS_ROOM])
{
	uint32_t taken = 0;
	size_t n = 0;

	for (size_t i = 0; i < config_row_count; i++)
		if (config_rows[i].option && strcmp(config_rows[i].option, option) == 0)
			taken |= config_rows[i].commands;
	text[0] = '\0';
	for (uint32_t one = 1; taken; one <<= 1) {
		const char *const usage = command_usage((enum command)one);

		if (!(taken & one))
			continue;
		taken &= ~one;
		n += (size_t)snprintf(text + n, TAKERS_ROOM - n, "%s%.*s",
				      n == 0 ? "" :
				      taken  ? ", " :
					       " and ",
				      (int)strcspn(usage, " "), usage);
	}
}

static int unknown(enum command command, const char *arg, struct hf_error *why)
{
	const char *const usage = command_usage(command), *near;
	char name[64], others[TAKERS_ROOM];

	if (optopt) {
		snprintf(why->text, sizeof(why->text), "-%c: no such option; --help lists them",
			 optopt);
		return -EINVAL;
	}
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg + 2, "="), arg + 2);
	takers(name, others);
	near = config_nearest(name, true, command);
	if (others[0])
		snprintf(why->text, sizeof(why->text), "--%s: no option of %.*s, but of %s", name,
			 (int)strcspn(usage, " "), usage, others);
	else
		snprintf(why->text, sizeof(why->text), "--%s: no such option%s%s", name,
			 near ? ", did you mean --" : "; --help lists them", near ? near : "");
	return -EINVAL;
}

/* The first text of a list replaces the profile's, the next ones add to it. */
static int take_option(const struct row *row, const char *text, bool seen[MAX_ROWS],
		       struct settings *s, struct hf_error *why)
{
	const size_t i = (size_t)(row - config_rows);
	char list[TEXT_ROOM], both[2 * TEXT_ROOM];
	const bool again = seen[i] && value_is_list(row);

	seen[i] = true;
	if (row->type == VALUE_TEXT && text[0] == '\0') { /* a shell's variable that is not set */
		snprintf(why->text, sizeof(why->text), "is empty; leave it out%s%s%s",
			 row->key ? ", or say --set " : "", row->key ? row->key : "",
			 row->key ? "=" : "");
		return -EINVAL;
	}
	if (!again)
		return value_parse(row, text, s, why);
	value_format(row, s, list);
	if (snprintf(both, sizeof(both), "%s,%s", list, text) >= (int)sizeof(both)) {
		snprintf(why->text, sizeof(why->text), "'%.40s...' is too long", text);
		return -EINVAL;
	}
	return value_parse(row, both, s, why);
}

/* The row of what getopt_long has found. */
static const struct row *row_of(enum command command, int c)
{
	size_t i = c >= FIRST ? (size_t)(c - FIRST) : 0;

	while (c < FIRST && (config_rows[i].letter != c || !(config_rows[i].commands & command)))
		i++;
	assert(i < config_row_count); /* it knows no others */
	return &config_rows[i];
}

/* What is left, and getopt_long has put last. */
static int operands_take(enum command command, int argc, char **argv, struct settings *s,
			 struct hf_error *why)
{
	if (command == COMMAND_REPLAY && argc - optind == 2) {
		s->replay.in = argv[optind++];
		s->replay.out = argv[optind++];
	} else if (command == COMMAND_REPLAY) {
		snprintf(why->text, sizeof(why->text),
			 "two captures are wanted, one to read and one to write: replay IN.pcap OUT.pcap");
		return -EINVAL;
	}
	if (command == COMMAND_TRACE && argc - optind == 1) {
		s->trace.in = argv[optind++];
	} else if (command == COMMAND_TRACE) {
		snprintf(why->text, sizeof(why->text), "one capture is wanted: trace FILE");
		return -EINVAL;
	}
	if (optind < argc) {
		snprintf(why->text, sizeof(why->text), "'%.60s' is no option; --help lists them",
			 argv[optind]);
		return -EINVAL;
	}
	return 0;
}

/* getopt_long has found no option it could take. */
static int refuse(enum command command, int c, const char *word, struct hf_error *why)
{
	const bool help = optopt == HELP; /* "--help=x"; alone it is no mistake */

	if (c == '?' && optopt < FIRST && !help)
		return unknown(command, word, why);
	if (c == '?')
		snprintf(why->text, sizeof(why->text), "--%s takes no such value",
			 help ? "help" : config_rows[optopt - FIRST].option);
	else
		snprintf(why->text, sizeof(why->text), "%.60s: a value must follow", word);
	return -EINVAL;
}

int option_refuse(int c, const char *letters, char **argv, struct hf_error *why)
{
	const char *const word = argv[optind - 1];

	if (c == ':')
		snprintf(why->text, sizeof(why->text), "%.60s: a value must follow", word);
	else if (optopt > 0 && optopt <= UCHAR_MAX && !strchr(letters, optopt))
		snprintf(why->text, sizeof(why->text), "'-%c' is no option; --help lists them",
			 optopt);
	else
		snprintf(why->text, sizeof(why->text), "'%.60s' is no option; --help lists them",
			 word);
	return -EINVAL;
}

/* One walk along the command line: the first only for the profile, the second for all the rest. */
static int walk(enum command command, int argc, char **argv, bool first, struct settings *s,
		struct hf_error *why)
{
	struct grammar g;
	bool seen[MAX_ROWS] = { false };
	struct hf_error what;
	int c;

	grammar_make(&g, command);
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, g.shorts, g.longs, NULL)) != -1) {
		const struct row *row;

		if (c == HELP) {
			help_print(command);
			return 1;
		}
		if (c == '?' || c == ':')
			return refuse(command, c, argv[optind - 1], why);
		row = row_of(command, c);
		if (first) {
			if (strcmp(row->option, "profile") == 0 && profile_read(optarg, s, why) < 0)
				return -EINVAL;
			continue;
		}
		if (row->type == VALUE_SET) {
			if (config_set(s, optarg, why) < 0)
				return -EINVAL;
		} else if (take_option(row, optarg ? optarg : "true", seen, s, &what) < 0) {
			snprintf(why->text, sizeof(why->text), "--%s: %.200s", row->option,
				 what.text);
			return -EINVAL;
		}
	}
	return operands_take(command, argc, argv, s, why);
}

int options_read(enum command command, int argc, char **argv, struct settings *s, struct hf_error *why)
{
	int rc = walk(command, argc, argv, true, s, why);

	if (rc == 0)
		rc = walk(command, argc, argv, false, s, why);
	return rc == 0 ? config_agree(s, why) : rc;
}
