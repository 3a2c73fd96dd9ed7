/* SPDX-License-Identifier: BSD-3-Clause */
/* The report of `handfast replay`, as text and as JSON. */
#include "replay_report.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "commit.h"

static uint64_t open_now(const struct script *script)
{
	return script->established - script->closed - script->lost;
}

static void print_counters(const struct replay_sum *sum, const char *prefix, const char *what,
			   FILE *out)
{
	for (unsigned i = 0; i < hf_counters(); i++)
		if (strncmp(hf_counter_name(i), prefix, strlen(prefix)) == 0 && hf_counter(sum->w, i))
			fprintf(out, "%s: %" PRIu64 " %s\n", what, hf_counter(sum->w, i),
				hf_counter_name(i));
}

void replay_print(const struct replay_sum *sum, FILE *out)
{
	const struct script *const script = sum->script;

	fprintf(out,
		"handfast replay: %" PRIu64 " frames in, %" PRIu64 " out, in %.6f s of virtual time\n"
		"connections: %" PRIu64 " opened, %" PRIu64 " accepted; %" PRIu64
		" established, %" PRIu64 " failed; %" PRIu64 " closed, %" PRIu64 " lost, %" PRIu64
		" open\n",
		sum->in, sum->out, (double)sum->us / 1e6, script->opened, script->accepted,
		script->established, script->failed, script->closed, script->lost, open_now(script));
	print_counters(sum, "impair_", "bad link", out);
	print_counters(sum, "rx_drop_", "dropped", out);
	if (sum->cut)
		fprintf(out, "%" PRIu64 " frames were cut when they were captured\n", sum->cut);
	if (sum->back)
		fprintf(out, "%" PRIu64 " stamps were earlier than the one before\n", sum->back);
	if (sum->refused)
		fprintf(out, "%" PRIu64 " frames were too long to be received\n", sum->refused);
	fprintf(out, "secrets: seeded (%" PRIu64 ")\n", sum->s->replay.seed);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *connections(const struct script *script)
{
	return json_pack("{s:o s:o s:o s:o s:o s:o s:o}", "opened", number(script->opened),
			 "accepted", number(script->accepted), "established",
			 number(script->established), "failed", number(script->failed), "closed",
			 number(script->closed), "lost", number(script->lost), "open",
			 number(open_now(script)));
}

static json_t *states(const struct hf_worker *w)
{
	struct hf_state_level levels[HF_STATES];
	json_t *o = json_object();

	hf_state_levels(w, levels);
	for (unsigned i = 0; i < HF_STATES; i++)
		json_object_set_new(o, hf_state_name((enum hf_state)i),
				    json_pack("{s:o s:o s:o}", "entered", number(levels[i].entered),
					      "peak", number(levels[i].peak), "now",
					      number(levels[i].now)));
	return o;
}

static json_t *counters(const struct hf_worker *w)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < hf_counters(); i++)
		json_object_set_new(o, hf_counter_name(i), number(hf_counter(w, i)));
	return o;
}

int replay_json(const struct replay_sum *sum, const char *path)
{
	FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	json_t *o;
	int rc;

	if (!out)
		return -1;
	o = json_pack("{s:s s:i s:s s:f s:o s:o s:o s:o s:o}", "handfast", hf_version(), "schema",
		      1, "command", "replay", "seconds", (double)sum->us / 1e6, "frames",
		      json_pack("{s:o s:o s:o s:o s:o}", "in", number(sum->in), "out",
				number(sum->out), "cut", number(sum->cut), "refused",
				number(sum->refused), "back", number(sum->back)),
		      "connections", connections(sum->script), "states", states(sum->w), "counters",
		      counters(sum->w), "provenance",
		      json_pack("{s:s s:s s:s s:o}", "commit", HF_COMMIT, "dpdk", HF_DPDK,
				"secrets", "seeded", "seed", number(sum->s->replay.seed)));
	rc = !o || json_dumpf(o, out, JSON_INDENT(2)) < 0 || fputc('\n', out) == EOF ? -1 : 0;
	json_decref(o);
	if (out == stdout)
		return fflush(out) == 0 ? rc : -1;
	return fclose(out) == 0 ? rc : -1;
}
