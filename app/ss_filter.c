/* SPDX-License-Identifier: BSD-3-Clause */
/* ss(8)'s filter: [state STATE | exclude STATE]... [EXPRESSION], where an expression is of src, dst, sport, dport
 * with and, or, not and parentheses. Read by recursive descent, kept as a tree. */
#include "ss_filter.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORDS 128
#define DEEPEST 16 /* parentheses and negations */

/* ---- States ------------------------------------------------------------------------------------- */

#define BIT(state) (1u << HF_##state)
#define SYNCHRONIZED                                                                             \
	(BIT(ESTABLISHED) | BIT(FIN_WAIT_1) | BIT(FIN_WAIT_2) | BIT(CLOSE_WAIT) | BIT(CLOSING) | \
	 BIT(LAST_ACK) | BIT(TIME_WAIT))

/* The first name of a state is how it is printed. */
static const struct word {
	const char *name;
	unsigned states;
} state_words[] = {
	{ "ESTAB", BIT(ESTABLISHED) },
	{ "SYN-SENT", BIT(SYN_SENT) },
	{ "SYN-RECV", BIT(SYN_RECEIVED) },
	{ "FIN-WAIT-1", BIT(FIN_WAIT_1) },
	{ "FIN-WAIT-2", BIT(FIN_WAIT_2) },
	{ "TIME-WAIT", BIT(TIME_WAIT) },
	{ "CLOSE-WAIT", BIT(CLOSE_WAIT) },
	{ "LAST-ACK", BIT(LAST_ACK) },
	{ "LISTEN", BIT(LISTEN) },
	{ "CLOSING", BIT(CLOSING) },
	{ "established", BIT(ESTABLISHED) },
	{ "syn-received", BIT(SYN_RECEIVED) },
	{ "listening", BIT(LISTEN) },
	{ "all", SYNCHRONIZED | BIT(SYN_SENT) | BIT(SYN_RECEIVED) | BIT(LISTEN) },
	{ "connected", SYNCHRONIZED | BIT(SYN_SENT) | BIT(SYN_RECEIVED) },
	{ "synchronized", SYNCHRONIZED },
	{ "bucket", BIT(TIME_WAIT) | BIT(SYN_RECEIVED) },
	{ "big", (SYNCHRONIZED | BIT(SYN_SENT)) & ~BIT(TIME_WAIT) },
};
#define STATE_WORDS (sizeof(state_words) / sizeof(state_words[0]))

const char *ss_state_name(enum hf_state state)
{
	for (size_t i = 0; i < STATE_WORDS; i++)
		if (state_words[i].states == 1u << state)
			return state_words[i].name;
	return "CLOSED";
}

static unsigned states_of(const char *name)
{
	for (size_t i = 0; i < STATE_WORDS; i++)
		if (strcasecmp(state_words[i].name, name) == 0)
			return state_words[i].states;
	return 0;
}

/* ---- Words -------------------------------------------------------------------------------------- */

/* The arguments as words; a parenthesis or ! is one by itself, even where the shell has not parted them. */
struct words {
	char text[4096];
	char *at[WORDS + 1];
	int count, next;
	int depth;
};

static int words_read(struct words *w, int argc, char **argv, struct hf_error *why)
{
	size_t n = 0;
	char *save = NULL;

	for (int i = 0; i < argc; i++) {
		for (const char *c = argv[i]; *c && n + 4 < sizeof(w->text); c++) {
			const bool alone = *c == '(' || *c == ')' || (*c == '!' && c[1] != '=');

			if (alone)
				w->text[n++] = ' ';
			w->text[n++] = *c;
			if (alone)
				w->text[n++] = ' ';
		}
		w->text[n++] = ' ';
		if (n + 4 >= sizeof(w->text))
			break;
	}
	w->text[n] = '\0';
	if (n + 4 >= sizeof(w->text)) {
		snprintf(why->text, sizeof(why->text), "the filter is longer than %zu octets",
			 sizeof(w->text) - 5);
		return -EINVAL;
	}
	for (char *word = strtok_r(w->text, " \t", &save); word && w->count < WORDS;
	     word = strtok_r(NULL, " \t", &save))
		w->at[w->count++] = word;
	if (w->count < WORDS)
		return 0;
	snprintf(why->text, sizeof(why->text), "the filter is longer than %d words", WORDS - 1);
	return -EINVAL;
}

static const char *peek(const struct words *w)
{
	return w->next < w->count ? w->at[w->next] : "";
}

/* Take the next word if it is one of those, which are parted by spaces. */
static bool take(struct words *w, const char *which)
{
	const char *const word = peek(w);
	const size_t len = strlen(word);

	for (const char *c = which; len && *c; c += strspn(c, " ")) {
		const size_t n = strcspn(c, " ");

		if (n == len && strncasecmp(c, word, n) == 0) {
			w->next++;
			return true;
		}
		c += n;
	}
	return false;
}

/* ---- Terms -------------------------------------------------------------------------------------- */

static int refuse(struct hf_error *why, const char *what, const char *word)
{
	snprintf(why->text, sizeof(why->text),
		 "filter: '%.60s' is no %s; such as: state established dst 10.0.0.0/8:80 or sport = :443",
		 word, what);
	return -EINVAL;
}

static bool read_port(const char *text, uint16_t *port)
{
	const struct servent *service;
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)*text)) {
		service = getservbyname(text, "tcp");
		if (service)
			*port = (uint16_t)(((unsigned)service->s_port & 0xff) << 8 |
					   (unsigned)service->s_port >> 8);
		return service;
	}
	n = strtoul(text, &end, 10);
	*port = (uint16_t)n;
	return *end == '\0' && n <= UINT16_MAX;
}

/* ADDR or ADDR/LEN; empty or *: any. */
static bool read_network(char *text, struct filter_node *node)
{
	char *const slash = strchr(text, '/');
	unsigned long most, bits = 0;
	struct hf_addr addr;
	char *end;

	if (slash) {
		*slash = '\0';
		bits = strtoul(slash + 1, &end, 10);
		if (!isdigit((unsigned char)slash[1]) || *end)
			return false;
	}
	if (!*text || strcmp(text, "*") == 0)
		return true;
	if (hf_addr_parse(text, &addr) < 0 || addr.port)
		return false;
	node->addr.ip = addr.ip;
	most = addr.ip.version == 4 ? 32 : 128;
	node->prefix = (uint8_t)(slash ? bits : most);
	return bits <= most;
}

/* ADDR[/LEN][:PORT], with an IPv6 address in brackets when a port follows. */
static bool read_host(const char *text, struct filter_node *node)
{
	char host[128];
	char *start = host, *port = NULL, *end;

	if (snprintf(host, sizeof(host), "%s", text) >= (int)sizeof(host))
		return false;
	if (*host == '[' && (end = strchr(host, ']')) != NULL) {
		start++;
		memmove(end, end + 1, strlen(end)); /* the length may stand behind the bracket */
		port = strchr(end, ':');
	} else if (strchr(host, ':') == strrchr(host, ':')) {
		port = strchr(host, ':');
	}
	if (port)
		*port++ = '\0';
	return *text && (!port || strcmp(port, "*") == 0 || read_port(port, &node->addr.port)) &&
	       read_network(start, node);
}

static enum filter_how read_how(struct words *w)
{
	return take(w, "!= ne neq") ? FILTER_NE :
	       take(w, "> gt")	    ? FILTER_GT :
	       take(w, "< lt")	    ? FILTER_LT :
	       take(w, ">= ge geq") ? FILTER_GE :
	       take(w, "<= le leq") ? FILTER_LE :
				      (take(w, "= == eq"), FILTER_EQ);
}

/* A new node, its index; -ENOSPC. */
static int add(struct ss_filter *f, struct filter_node node)
{
	if (f->count == FILTER_NODES)
		return -ENOSPC;
	f->nodes[f->count] = node;
	return f->count++;
}

static int read_term(struct words *w, struct ss_filter *f, struct hf_error *why)
{
	struct filter_node node = { .what = take(w, "src")   ? FILTER_SRC :
					    take(w, "dst")   ? FILTER_DST :
					    take(w, "sport") ? FILTER_SPORT :
					    take(w, "dport") ? FILTER_DPORT :
							       FILTER_AND };
	const bool port = node.what == FILTER_SPORT || node.what == FILTER_DPORT;
	const char *word;

	if (node.what == FILTER_AND)
		return refuse(why, "part of a filter", peek(w));
	node.how = read_how(w);
	word = peek(w);
	if (port ? !read_port(word + (*word == ':'), &node.addr.port) :
		   node.how > FILTER_NE || !read_host(word, &node))
		return refuse(why, port ? "port" : "address", word);
	w->next++;
	return add(f, node);
}

static int read_or(struct words *w, struct ss_filter *f, struct hf_error *why);

/* NOLINTNEXTLINE(misc-no-recursion): DEEPEST levels */
static int read_not(struct words *w, struct ss_filter *f, struct hf_error *why)
{
	int node;

	if (++w->depth > DEEPEST)
		return refuse(why, "filter so deep", peek(w));
	if (take(w, "not !")) {
		node = read_not(w, f, why);
		node = node < 0 ? node :
				  add(f, (struct filter_node){ .what = FILTER_NOT, .left = node });
	} else if (take(w, "(")) {
		node = read_or(w, f, why);
		if (node >= 0 && !take(w, ")"))
			return refuse(why, "closing parenthesis", peek(w));
	} else {
		node = read_term(w, f, why);
	}
	w->depth--;
	return node;
}

/* Terms that follow each other are joined by and, said or not. */
/* NOLINTNEXTLINE(misc-no-recursion): DEEPEST levels */
static int read_and(struct words *w, struct ss_filter *f, struct hf_error *why)
{
	int node = read_not(w, f, why);

	while (node >= 0 && *peek(w) && strcmp(peek(w), ")") != 0 && strcasecmp(peek(w), "or") != 0 &&
	       strcmp(peek(w), "|") != 0 && strcmp(peek(w), "||") != 0) {
		int right;

		take(w, "and & &&");
		right = read_not(w, f, why);
		node = right < 0 ?
			       right :
			       add(f, (struct filter_node){
					      .what = FILTER_AND, .left = node, .right = right });
	}
	return node;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEEPEST levels */
static int read_or(struct words *w, struct ss_filter *f, struct hf_error *why)
{
	int node = read_and(w, f, why);

	while (node >= 0 && take(w, "or | ||")) {
		const int right = read_and(w, f, why);

		node = right < 0 ? right :
				   add(f, (struct filter_node){
						  .what = FILTER_OR, .left = node, .right = right });
	}
	return node;
}

int ss_filter_read(int argc, char **argv, struct ss_filter *f, struct hf_error *why)
{
	struct words w = { .count = 0 };
	unsigned out = 0;

	*f = (struct ss_filter){ .root = -1 };
	if (words_read(&w, argc, argv, why) < 0)
		return -EINVAL;
	for (bool state; (state = take(&w, "state")) || take(&w, "exclude");) {
		const unsigned states = states_of(peek(&w));

		if (!states)
			return refuse(why, "state", peek(&w));
		w.next++;
		if (state)
			f->states |= states;
		else
			out |= states;
	}
	if (out)
		f->states = (f->states ? f->states : states_of("connected")) & ~out;
	if (!*peek(&w))
		return 0;
	f->root = read_or(&w, f, why);
	if (f->root == -ENOSPC)
		return refuse(why, "filter so long", peek(&w));
	if (f->root >= 0 && *peek(&w))
		return refuse(why, "part of a filter", peek(&w));
	return f->root < 0 ? -EINVAL : 0;
}

/* ---- Passing ------------------------------------------------------------------------------------ */

static bool compare(enum filter_how how, uint16_t a, uint16_t b)
{
	switch (how) {
	case FILTER_EQ:
		return a == b;
	case FILTER_NE:
		return a != b;
	case FILTER_GT:
		return a > b;
	case FILTER_LT:
		return a < b;
	case FILTER_GE:
		return a >= b;
	case FILTER_LE:
		return a <= b;
	}
	return false;
}

static bool host_is(const struct filter_node *node, const struct hf_addr *addr)
{
	const unsigned octets = node->prefix / 8u, bits = node->prefix % 8u;

	if (node->addr.port && node->addr.port != addr->port)
		return false;
	if (!node->addr.ip.version)
		return true;
	return node->addr.ip.version == addr->ip.version &&
	       memcmp(node->addr.ip.octets, addr->ip.octets, octets) == 0 &&
	       (!bits || !((node->addr.ip.octets[octets] ^ addr->ip.octets[octets]) >> (8 - bits)));
}

/* NOLINTNEXTLINE(misc-no-recursion): FILTER_NODES at most */
static bool passes(const struct ss_filter *f, int i, const struct hf_addr *local,
		   const struct hf_addr *peer)
{
	const struct filter_node *const node = &f->nodes[i];

	switch (node->what) {
	case FILTER_AND:
		return passes(f, node->left, local, peer) && passes(f, node->right, local, peer);
	case FILTER_OR:
		return passes(f, node->left, local, peer) || passes(f, node->right, local, peer);
	case FILTER_NOT:
		return !passes(f, node->left, local, peer);
	case FILTER_SRC:
		return host_is(node, local) == (node->how == FILTER_EQ);
	case FILTER_DST:
		return host_is(node, peer) == (node->how == FILTER_EQ);
	case FILTER_SPORT:
		return compare(node->how, local->port, node->addr.port);
	case FILTER_DPORT:
		return compare(node->how, peer->port, node->addr.port);
	}
	return false;
}

bool ss_filter_passes(const struct ss_filter *f, const struct hf_addr *local,
		      const struct hf_addr *peer)
{
	return f->root < 0 || passes(f, f->root, local, peer);
}

/* ---- What the instance can do --------------------------------------------------------------------- */

static void ask_host(const struct filter_node *node, const char *end, char text[512])
{
	struct hf_addr addr = { .ip = node->addr.ip };
	char address[HF_ADDR_TEXT];
	const size_t n = strlen(text);

	if (node->how != FILTER_EQ || !addr.ip.version || n > 300)
		return;
	snprintf(text + n, 512 - n, ",%s=%s/%u", end, hf_addr_format(&addr, address), node->prefix);
}

/* All terms that must hold, of a tree of ANDs. Of several about one end the last one is taken: it is true too. */
/* NOLINTNEXTLINE(misc-no-recursion): FILTER_NODES at most */
static void ask_all(const struct ss_filter *f, int i, char text[512])
{
	const struct filter_node *const node = &f->nodes[i];
	const size_t n = strlen(text);

	if (node->what == FILTER_AND) {
		ask_all(f, node->left, text);
		ask_all(f, node->right, text);
	} else if (node->what == FILTER_SRC || node->what == FILTER_DST) {
		ask_host(node, node->what == FILTER_SRC ? "local" : "peer", text);
	} else if ((node->what == FILTER_SPORT || node->what == FILTER_DPORT) &&
		   node->how == FILTER_EQ && node->addr.port && n < 300) {
		snprintf(text + n, 512 - n, ",%s_port=%u",
			 node->what == FILTER_SPORT ? "local" : "peer", node->addr.port);
	}
}

void ss_filter_ask(const struct ss_filter *f, unsigned states, char text[512])
{
	text[0] = '\0';
	for (unsigned i = 0; i < HF_STATES; i++) {
		const size_t n = strlen(text);

		if (states >> i & 1)
			snprintf(text + n, 512 - n, ",state=%s", hf_state_name((enum hf_state)i));
	}
	if (f->root >= 0)
		ask_all(f, f->root, text);
}
