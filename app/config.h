/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the program can be told: one table of rows (rows.def), read from a profile (profile.c) and from
 * the command line (options.c), written back by `config --print`. Defaults < profile < command line.
 */
#ifndef HF_APP_CONFIG_H
#define HF_APP_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "handfast.h"

enum layout { LAYOUT_AUTO, LAYOUT_SPLIT, LAYOUT_LOCAL };
enum application { APP_NONE, APP_RR, APP_ECHO, APP_DISCARD, APP_CHARGEN, APP_HTTP };
enum closing {
	CLOSE_AUTO,
	CLOSE_CLIENT,
	CLOSE_SERVER,
	CLOSE_BOTH,
	CLOSE_RST,
	CLOSE_HALF,
	CLOSE_HOLD
};
/* The same as serve and load see it. */
enum one_closing { ONE_AUTO, ONE_US, ONE_PEER, ONE_BOTH, ONE_RST, ONE_HALF, ONE_HOLD };
enum idling { IDLE_AUTO, IDLE_SPIN, IDLE_SLEEP };
enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

struct port_span {
	uint16_t first, last;
};

/** Addresses, with the prefix length or the ports that some rows want beside them. */
struct net {
	struct hf_ip_range range;
	uint16_t port, port_last;
	uint8_t length;
};
struct nets {
	uint32_t count;
	struct net at[HF_MAX_RANGES];
};

#define TEXT_ROOM 1024 /* of any value, lists among them */

enum replay_app { REPLAY_NONE, REPLAY_ECHO, REPLAY_RR, REPLAY_DISCARD };
enum replay_close { REPLAY_PEER, REPLAY_US, REPLAY_HOLD };

/** What only `replay` is told. */
struct replay_settings {
	const char *in, *out; /* captures */
	struct nets addr, listen;
	char calls[TEXT_ROOM];
	enum replay_app app;
	enum replay_close close;
	uint64_t start_us, linger_us, seed;
};

/** What only `trace` is told. */
struct trace_settings {
	const char *in; /* a capture */
	struct nets host;
	uint16_t port;
	uint32_t conn;
	bool absolute, explain;
};

/** The values of all rows; 0 where a row says "auto" and none has been settled. */
struct settings {
	struct hf_tcp_config tcp;
	bool keepalive;
	uint32_t keepalive_time_ms;
	uint32_t max_tw_buckets; /* of one end, shared out among its workers */
	uint16_t mtu;
	uint8_t ttl;
	uint32_t ring;
	uint16_t vlan;
	uint8_t mac[6];
	enum idling idle;
	enum log_level log_level;
	enum hf_steering steering;
	char rss_key[TEXT_ROOM];
	char threshold[TEXT_ROOM];
	char cores[TEXT_ROOM];
	char user[TEXT_ROOM]; /* empty: who we are */
	char impair[TEXT_ROOM];
	enum layout layout;
	enum application app;
	enum closing close;
	enum one_closing one_close;
	uint32_t request, response;
	char root[TEXT_ROOM], path[TEXT_ROOM]; /* of http */
	uint64_t length, body_max, requests, keepalive_requests;
	uint64_t duration_us, warmup_us, drain_us;
	uint64_t count, rate, seed;
	uint32_t concurrency;
	bool ipv6;
	struct hf_ip_range client, client6;
	struct hf_ip_range server, server6; /* of one address */
	struct port_span client_ports;
	uint16_t port;
	struct nets addr, gateway, tap_kernel_addr;
	struct nets listen, target, from;
	char dev[TEXT_ROOM];
	char profile[TEXT_ROOM], json[TEXT_ROOM], hgrm[TEXT_ROOM], capture[TEXT_ROOM],
		break_books[TEXT_ROOM], set[TEXT_ROOM];
	bool quiet, check, print, verify, allow_kernel_address, accept_reserved;
	bool live; /* --trace */
	uint32_t record;
	char record_filter[TEXT_ROOM];
	struct replay_settings replay;
	struct trace_settings trace;
};

/** What a row's text looks like and how its field is kept. */
enum value_type {
	VALUE_BOOL,	/* bool */
	VALUE_COUNT,	/* uint8_t to uint64_t: 4096, 4Mi, 2M */
	VALUE_SIZE,	/* the same, octets */
	VALUE_RATE,	/* uint64_t: 2M/s */
	VALUE_MSEC,	/* uint32_t, milliseconds: 60s, 500ms */
	VALUE_USEC,	/* uint64_t, microseconds */
	VALUE_WORD,	/* an enum: the index of the word */
	VALUE_ADDRESS4, /* struct hf_ip_range: ADDR */
	VALUE_ADDRESS6,
	VALUE_RANGE4, /* struct hf_ip_range: ADDR[-ADDR] */
	VALUE_RANGE6,
	VALUE_PREFIXES, /* struct nets, at most `max`, by commas: ADDR/LEN */
	VALUE_HOSTS,	/* ... ADDR */
	VALUE_SPANS,	/* ... ADDR[-ADDR] */
	VALUE_LISTENS,	/* ... ADDR:PORT[-PORT] */
	VALUE_TARGETS,	/* ... ADDR:PORT */
	VALUE_MAC,	/* uint8_t[6] */
	VALUE_PORTS,	/* struct port_span: FIRST-LAST */
	VALUE_CORES,	/* char[TEXT_ROOM]: 0-1,3 */
	VALUE_IMPAIR,	/* char[TEXT_ROOM]: loss=1%,delay=5ms */
	VALUE_TEXT,	/* char[TEXT_ROOM] */
	VALUE_SET,	/* KEY=VALUE: another row */
};

enum command {
	COMMAND_PAIR = 1,
	COMMAND_CONFIG = 2,
	COMMAND_LOAD = 4,
	COMMAND_SERVE = 8,
	COMMAND_REPLAY = 16,
	COMMAND_DOCTOR = 32,
	COMMAND_TRACE = 64,
};

struct row {
	const char *key;    /* "tcp.tw_len"; NULL: not in profiles */
	const char *option; /* "duration"; NULL: not on the command line but by --set */
	char letter;	    /* 'q', or 0 */
	uint32_t commands;  /* that take the option */
	enum value_type type;
	size_t offset, size; /* of the field of struct settings */
	uint64_t min, max;   /* in the field's unit */
	const char *words;   /* "a|b": of a VALUE_WORD; of a number the word that stands for 0 */
	const char *preset;  /* default, as text */
	const char *id;	     /* row of REQUIREMENTS, or "" */
	const char *help;
};

/** The table. */
extern const struct row config_rows[];
extern const size_t config_row_count;

/** All rows at their presets. */
void config_defaults(struct settings *s);

/** @return the row of a profile's key; NULL */
const struct row *config_find_key(const char *key);

/** The name among keys (or options of the command) most like this one; NULL when none is near. */
const char *config_nearest(const char *name, bool options, enum command command);

/** Set one row by "KEY=VALUE". @return 0 or -EINVAL, why says what */
int config_set(struct settings *s, const char *assignment, struct hf_error *why);

/** Whether the address is one of the range's. */
bool range_holds(const struct hf_ip_range *range, const struct hf_ip *ip);

/** Whether the settings agree with each other. @return 0 or -EINVAL, why says what */
int config_agree(const struct settings *s, struct hf_error *why);

/** Write all keys as a profile that reads back the same. */
void config_print(const struct settings *s, FILE *out);

/* value.c */

/** Read one value. @return 0; -EINVAL: "what, what would be right" is in why, s is untouched */
int value_parse(const struct row *row, const char *text, struct settings *s, struct hf_error *why);

/** Write it as value_parse reads it. */
void value_format(const struct row *row, const struct settings *s, char text[TEXT_ROOM]);

/** "1s to 240s", "none|rr": what would be right. */
void value_range(const struct row *row, char text[TEXT_ROOM]);

/** Whether text of this row is a list, to which the command line adds. */
bool value_is_list(const struct row *row);

/* address.c: value_parse and value_format for rows of addresses */

int address_parse(const struct row *row, const char *text, struct settings *s, struct hf_error *why);
void address_format(const struct row *row, const struct settings *s, char text[TEXT_ROOM]);

/** Number of CPUs a list "0-1,3" names. @return -EINVAL when it is none */
int cores_count(const char *list);

/* profile.c */

/** Read a profile; name is a path, or one of the installed ones. @return 0 or -EINVAL */
int profile_read(const char *name, struct settings *s, struct hf_error *why);

/** The file of this name, else the profile of that name installed beside this program. */
void profile_path(const char *name, char path[PATH_MAX]);

/** Write a value as one line that YAML reads back the same. */
void profile_quote(const char *value, FILE *out);

/* options.c */

/** Read the options of a command, argv[0] being its name: its profile first. @return 0 or -EINVAL;
 *  1 when help was asked for and has been printed */
int options_read(enum command command, int argc, char **argv, struct settings *s,
		 struct hf_error *why);

/** Name what getopt_long could take for none of the letters and long options it was given.
 *  @param c  what it returned: ':' a value is missing, else '?'. @return -EINVAL */
int option_refuse(int c, const char *letters, char **argv, struct hf_error *why);

#endif
