/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast ss`: options and filter as ss(8) has them; every worker of the instance is asked, page by page. */
#include "ss.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "instance.h"
#include "ss_filter.h"

static const char usage[] =
	"Usage: handfast ss [options] [state STATE | exclude STATE]... [FILTER]\n\n"
	"List the connections of a running handfast, as ss lists the kernel's.\n\n"
	"  -a, --all             listeners and everything else too; by default what is connected, without\n"
	"                        half-opens and TIME-WAIT\n"
	"  -l, --listening       listeners alone: Recv-Q not accepted yet, Send-Q half-open\n"
	"  -o, --options         timers: (kind, time left, retransmissions or probes)\n"
	"  -i, --info            options, RTO, round trip time, MSS, congestion window, windows\n"
	"  -s, --summary         states, pools and TIME-WAIT in sum\n"
	"  -4, -6                one version of IP\n"
	"  -H, --no-header       no first line\n"
	"  -j, --json            entries as JSON, one array (docs/telemetry.md)\n"
	"      --pid N           which instance, when several run\n"
	"      --file-prefix P   ... by EAL's --file-prefix\n"
	"  -t, -n, -e            taken, as they are what it does anyway\n"
	"  -h, --help            this text\n\n"
	"STATE: established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait close-wait last-ack listen closing\n"
	"       all connected synchronized bucket big\n"
	"FILTER: src|dst ADDR[/LEN][:PORT], sport|dport [= != < > <= >=] :PORT, joined by and, or, not, ( )\n"
	"CLOSE-WAIT whose application has not closed says since when: never-closed:(TIME).\n"
	"Exit status: 0, 2 usage, 3 no instance runs or it does not answer.\n";

struct options {
	bool all, listening, summary, json;
	unsigned version; /* 4, 6, 0 both */
	long pid;
	const char *prefix;
	struct ss_columns columns;
	struct ss_filter filter;
};

enum { OPTION_PID = 1000, OPTION_PREFIX };

static const struct option longs[] = {
	{ "all", 0, NULL, 'a' },	{ "listening", 0, NULL, 'l' },
	{ "options", 0, NULL, 'o' },	{ "info", 0, NULL, 'i' },
	{ "summary", 0, NULL, 's' },	{ "no-header", 0, NULL, 'H' },
	{ "json", 0, NULL, 'j' },	{ "help", 0, NULL, 'h' },
	{ "ipv4", 0, NULL, '4' },	{ "ipv6", 0, NULL, '6' },
	{ "tcp", 0, NULL, 't' },	{ "numeric", 0, NULL, 'n' },
	{ "pid", 1, NULL, OPTION_PID }, { "file-prefix", 1, NULL, OPTION_PREFIX },
	{ "extended", 0, NULL, 'e' },	{ NULL, 0, NULL, 0 },
};

static int read_options(int argc, char **argv, struct options *o, struct hf_error *why)
{
	static const char letters[] = "+:alois46Hjhtne";
	char *end;
	int c;

	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		switch (c) {
		case 'a':
			o->all = true;
			break;
		case 'l':
			o->listening = true;
			break;
		case 'o':
			o->columns.timer = true;
			break;
		case 'i':
			o->columns.details = true;
			break;
		case 's':
			o->summary = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'H':
			o->columns.header = false;
			break;
		case '4':
		case '6':
			o->version = (unsigned)c - '0';
			break;
		case OPTION_PID:
			o->pid = strtol(optarg, &end, 10);
			if (o->pid <= 0 || *end) {
				snprintf(why->text, sizeof(why->text),
					 "--pid: '%.40s' is no process", optarg);
				return -EINVAL;
			}
			break;
		case OPTION_PREFIX:
			o->prefix = optarg;
			break;
		case 't':
		case 'n':
		case 'e':
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			return option_refuse(c, letters, argv, why);
		}
	}
	return ss_filter_read(argc - optind, argv + optind, &o->filter, why);
}

/* Which states are listed: the filter's, else by -a and -l. */
static unsigned states_wanted(const struct options *o)
{
	const unsigned listen = 1u << HF_LISTEN, all = (1u << HF_STATES) - 1 - (1u << HF_CLOSED);

	if (o->filter.states)
		return o->filter.states;
	if (o->listening)
		return listen;
	return o->all ? all : all & ~(listen | 1u << HF_SYN_RECEIVED | 1u << HF_TIME_WAIT);
}

/* ---- Listing ---------------------------------------------------------------------------------------- */

static bool wanted(const struct options *o, const struct ss_row *row)
{
	return (!o->version || o->version == row->local.ip.version) &&
	       ss_filter_passes(&o->filter, &row->local, &row->peer);
}

static void take_page(const struct options *o, json_t *page, const char *worker, json_t *list)
{
	struct ss_row row;
	const char *name;
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(page, "rows"), i, entry)
	{
		if (ss_row_brief(json_string_value(entry), &row) && wanted(o, &row))
			ss_print(&row, NULL, &o->columns);
	}
	json_object_foreach(page, name, entry)
	{
		if (!json_is_object(entry) || !ss_row_entry(entry, &row) || !wanted(o, &row))
			continue;
		if (o->json) {
			json_object_set_new(entry, "worker", json_string(worker));
			json_array_append(list, entry);
		} else {
			ss_print(&row, entry, &o->columns);
		}
	}
}

/* All pages of one worker; in brief where no more than that is shown. */
static int list_worker(struct instance *in, const struct options *o, const char *worker,
		       uint64_t number, json_t *list, struct hf_error *why)
{
	const char *const brief = o->json || o->columns.details ? "" : ",brief";
	char filter[512];
	uint64_t cursor = 0;
	bool more = true;

	ss_filter_ask(&o->filter, states_wanted(o), filter);
	while (more) {
		json_t *const page =
			instance_ask(in, why, "/handfast/connections,%lu,%lu%s%s",
				     (unsigned long)number, (unsigned long)cursor, brief, filter);

		if (!page)
			return -EIO;
		more = json_object_get(page, "next");
		cursor = instance_number(page, "next");
		take_page(o, page, worker, list);
		json_decref(page);
	}
	return 0;
}

static int list(struct instance *in, const struct options *o, struct hf_error *why)
{
	json_t *const info = instance_ask(in, why, "/handfast/info");
	json_t *const all = json_array();
	const char *worker;
	json_t *number;
	int rc = info ? 0 : -EIO;

	if (o->columns.header && !o->json)
		ss_print_header(&o->columns);
	json_object_foreach(json_object_get(info, "workers"), worker, number) if (rc == 0) rc =
		list_worker(in, o, worker, (uint64_t)json_integer_value(number), all, why);
	if (rc == 0 && o->json) {
		json_dumpf(all, stdout, JSON_INDENT(1));
		putchar('\n');
	}
	json_decref(info);
	json_decref(all);
	return rc;
}

static int summary(struct instance *in, const struct options *o, struct hf_error *why)
{
	json_t *const states = instance_ask(in, why, "/handfast/states");
	json_t *const levels = instance_ask(in, why, "/handfast/levels");
	json_t *const counters = instance_ask(in, why, "/handfast/counters");
	const bool all = states && levels && counters;
	json_t *sum;

	if (all && o->json) {
		sum = json_pack("{s:O s:O s:O}", "states", states, "levels", levels, "counters",
				counters);
		json_dumpf(sum, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(sum);
	} else if (all) {
		ss_print_summary(states, levels, counters);
	}
	json_decref(states);
	json_decref(levels);
	json_decref(counters);
	return all ? 0 : -EIO;
}

int ss_run(int argc, char **argv, const char *program)
{
	struct options o = { .prefix = "", .columns = { .header = true } };
	struct hf_error why = { "" };
	struct instance in;
	int rc = read_options(argc, argv, &o, &why);

	if (rc > 0)
		return STATUS_OK;
	if (rc < 0) {
		fprintf(stderr, "%s: ss: %s\n", program, why.text);
		return STATUS_USAGE;
	}
	rc = instance_open(o.prefix, o.pid, &in, &why);
	if (rc == 0) {
		rc = o.summary ? summary(&in, &o, &why) : list(&in, &o, &why);
		instance_close(&in);
	}
	if (rc < 0)
		fprintf(stderr, "%s: ss: %s\n", program, why.text);
	return rc == 0 ? STATUS_OK : rc == -EEXIST ? STATUS_USAGE : STATUS_ENVIRONMENT;
}
