/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of rows and what all of them together must satisfy; called by options.c, profile.c, main.c. */
#include "config.h"

#include <errno.h>
#include <string.h>

/* The commands that take a row's option; its key goes into any profile. */
#define RUN (COMMAND_PAIR | COMMAND_LOAD | COMMAND_SERVE)
#define ANY (RUN | COMMAND_CONFIG | COMMAND_DOCTOR)
#define PAIR (COMMAND_PAIR | COMMAND_CONFIG)
#define OPEN (COMMAND_PAIR | COMMAND_LOAD | COMMAND_CONFIG | COMMAND_DOCTOR)
#define ONE \
	(COMMAND_LOAD | COMMAND_SERVE | COMMAND_DOCTOR) /* one end, another program at the other */
#define LOAD (COMMAND_LOAD | COMMAND_DOCTOR)
#define SERVE (COMMAND_SERVE | COMMAND_DOCTOR)
#define CONFIG COMMAND_CONFIG
#define REPLAY COMMAND_REPLAY
#define TRACE COMMAND_TRACE
#define ALL (ANY | REPLAY)
#define RUNS (RUN | REPLAY | TRACE)
#define ROW(key, option, letter, commands, type, field, min, max, words, preset, id, help) \
	{ key,                                                                             \
	  option,                                                                          \
	  letter,                                                                          \
	  commands,                                                                        \
	  VALUE_##type,                                                                    \
	  offsetof(struct settings, field),                                                \
	  sizeof(((struct settings *)NULL)->field),                                        \
	  min,                                                                             \
	  max,                                                                             \
	  words,                                                                           \
	  preset,                                                                          \
	  id,                                                                              \
	  help },

const struct row config_rows[] = {
#include "rows.def"
};
const size_t config_row_count = sizeof(config_rows) / sizeof(config_rows[0]);

void config_defaults(struct settings *s)
{
	struct hf_error why;

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < config_row_count; i++)
		value_parse(&config_rows[i], config_rows[i].preset, s, &why);
}

const struct row *config_find_key(const char *key)
{
	for (size_t i = 0; i < config_row_count; i++)
		if (config_rows[i].key && strcmp(config_rows[i].key, key) == 0)
			return &config_rows[i];
	return NULL;
}

/* Levenshtein's distance. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[65];
	const size_t n = strnlen(b, 64);

	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			const unsigned swap = diagonal + (a[i - 1] != b[j - 1]);
			unsigned least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

			diagonal = row[j];
			row[j] = swap < least ? swap : least;
		}
	}
	return row[n];
}

const char *config_nearest(const char *name, bool options, enum command command)
{
	const char *best = NULL;
	unsigned least = (unsigned)strlen(name) / 3 + 2; /* farther is no misspelling */

	for (size_t i = 0; i < config_row_count; i++) {
		const struct row *row = &config_rows[i];
		const char *candidate = options ? row->option : row->key;
		unsigned d;

		if (!candidate || (options && !(row->commands & command)))
			continue;
		d = distance(name, candidate);
		if (d < least) {
			least = d;
			best = candidate;
		}
	}
	return best;
}

int config_set(struct settings *s, const char *assignment, struct hf_error *why)
{
	const char *equals = strchr(assignment, '=');
	char key[64];
	const struct row *row;
	const char *near;
	struct hf_error what;

	if (!equals || equals == assignment || (size_t)(equals - assignment) >= sizeof(key)) {
		snprintf(why->text, sizeof(why->text),
			 "'%.64s' is no KEY=VALUE, such as tcp.tw_len=1s", assignment);
		return -EINVAL;
	}
	memcpy(key, assignment, (size_t)(equals - assignment));
	key[equals - assignment] = '\0';
	row = config_find_key(key);
	if (!row) {
		near = config_nearest(key, false, 0);
		snprintf(why->text, sizeof(why->text), "%s: no such key%s%s", key,
			 near ? ", did you mean " : "; config --print lists all", near ? near : "");
		return -EINVAL;
	}
	if (value_parse(row, equals + 1, s, &what) < 0) {
		snprintf(why->text, sizeof(why->text), "%s: %.180s", key, what.text);
		return -EINVAL;
	}
	return 0;
}

bool range_holds(const struct hf_ip_range *range, const struct hf_ip *ip)
{
	uint64_t first = 0, x = 0;

	if (range->first.version != ip->version)
		return false;
	if (ip->version == 6 && memcmp(range->first.octets, ip->octets, 8) != 0)
		return false;
	for (int i = ip->version == 6 ? 8 : 0; i < (ip->version == 6 ? 16 : 4); i++) {
		first = first << 8 | range->first.octets[i];
		x = x << 8 | ip->octets[i];
	}
	return x >= first && x - first < range->count;
}

/* RFC 9112 3.2.1: what may stand in a request line. */
static bool is_origin_form(const char *path)
{
	if (path[0] != '/')
		return false;
	for (; *path; path++)
		if (*path <= ' ' || *path > '~' || *path == '#')
			return false;
	return true;
}

int config_agree(const struct settings *s, struct hf_error *why)
{
	const struct hf_tcp_config *tcp = &s->tcp;
	const struct {
		bool wrong;
		const char *text;
	} rules[] = {
		{ tcp->retries1 > tcp->retries2,
		  "tcp.retries1 is more than tcp.retries2: the path is suspected before it is given up" },
		{ tcp->rto_min_ms > tcp->rto_initial_ms || tcp->rto_initial_ms > tcp->rto_max_ms,
		  "tcp.rto_min, tcp.rto_initial, tcp.rto_max must not fall in this order" },
		{ tcp->tw_reuse_unsafe && tcp->tw_reuse == 0,
		  "tcp.tw_reuse_unsafe needs tcp.tw_reuse 1 or 2" },
		{ tcp->tw_reuse_unsafe && tcp->timestamps,
		  "tcp.tw_reuse_unsafe is for tcp.timestamps: false; with them reuse is safe" },
		{ tcp->ts_lenient && !tcp->timestamps, "tcp.ts_lenient needs tcp.timestamps: true" },
		{ tcp->tw_accept_ts_new && !tcp->timestamps,
		  "tcp.tw_accept_ts_new needs tcp.timestamps: true" },
		{ tcp->tw_reuse_delay_ms > tcp->tw_len_ms,
		  "tcp.tw_reuse_delay is longer than tcp.tw_len: nothing would be reused" },
		{ !tcp->window_scaling && tcp->rcv_buf > 65536,
		  "tcp.rcv_buf above 64Ki needs tcp.window_scaling: true" },
		{ tcp->pmtu_floor > s->mtu, "tcp.pmtu_floor is more than mtu" },
		{ s->ipv6 && s->mtu < 1280, "mtu must be 1280 or more with --ipv6 (RFC 8200 5)" },
		{ !is_origin_form(s->path),
		  "http.path must begin with / and hold no spaces, # or others than ASCII; write those as %XX" },
		{ s->ring & (s->ring - 1), "pair.ring must be a power of two" },
		{ range_holds(&s->client, &s->server.first), "pair.server is one of pair.client" },
		{ range_holds(&s->client6, &s->server6.first), "pair.server6 is one of pair.client6" },
		{ s->layout == LAYOUT_SPLIT && s->cores[0] && cores_count(s->cores) < 2,
		  "--layout split needs two cores or more in --cores, or use --layout local" },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].wrong) {
			snprintf(why->text, sizeof(why->text), "%s", rules[i].text);
			return -EINVAL;
		}
	}
	return 0;
}

void config_print(const struct settings *s, FILE *out)
{
	char section[32] = "";

	for (size_t i = 0; i < config_row_count; i++) {
		const struct row *row = &config_rows[i];
		char value[TEXT_ROOM], range[TEXT_ROOM];
		const char *dot, *leaf = row->key;
		size_t len = 0;

		if (!row->key)
			continue;
		dot = strchr(row->key, '.');
		if (dot) {
			len = (size_t)(dot - row->key);
			leaf = dot + 1;
			if (strncmp(section, row->key, len) != 0 || section[len]) {
				snprintf(section, sizeof(section), "%.*s", (int)len, row->key);
				fprintf(out, "\n%s:\n", section);
			}
		}
		value_format(row, s, value);
		value_range(row, range);
		fprintf(out, "%s%s: ", dot ? "  " : "", leaf);
		if (row->type == VALUE_CORES || row->type == VALUE_TEXT || row->type == VALUE_MAC ||
		    row->type == VALUE_IMPAIR || value_is_list(row) || strchr(value, ':'))
			profile_quote(value, out);
		else
			fputs(value, out);
		fprintf(out, " # %s%s%s%s%s%s\n", row->help, range[0] ? "; " : "", range,
			row->id[0] ? " (" : "", row->id, row->id[0] ? ")" : "");
	}
}
