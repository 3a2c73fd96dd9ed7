/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts the workers of one end or both on their cores, minds signals and progress while they run, then
 * has the report made. Called by main.c. */
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "files.h"
#include "recorded.h"
#include "report.h"
#include "rights.h"
#include "threshold.h"
#include "told.h"
#include "watch.h"

#define WATCH_NS 20000000  /* how often the main thread looks */
#define DRAIN_NS 500000	   /* ... when it has rings to empty */
#define CARRIER_US 3000000 /* how long a load waits for one */

/* What one core runs: one end, or both. */
struct job {
	struct run *run;
	struct end *ends[SIDES];
	struct hf_port *ports[SIDES];
	unsigned pair;
	int error;
	struct hf_error why;
	atomic_bool ready, finished;
};

struct running {
	struct run run;
	struct plan plan;
	struct hf_port **ports[SIDES];
	struct end *ends[SIDES]; /* plan.pairs of each */
	struct job *jobs;	 /* plan.cores of them */
	unsigned signals;	 /* the first drains, the second aborts, the third is the end */
	bool warned;
	uint64_t shown_us, shown;
	struct watching watch;
	struct rights rights; /* of whom we become */
};

static int job_make(struct job *job)
{
	for (unsigned side = 0; side < SIDES; side++) {
		int rc;

		if (!job->ends[side])
			continue;
		rc = end_create(job->ends[side], job->run, (enum side)side, job->pair,
				job->ports[side], &job->why);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int job_run(void *arg)
{
	struct job *job = arg;
	struct hf_task tasks[SIDES];
	unsigned n = 0;

	job->error = job_make(job);
	atomic_store(&job->ready, true);
	while (!atomic_load(&job->run->go))
		usleep(100);
	for (unsigned side = 0; side < SIDES; side++)
		if (job->ends[side])
			tasks[n++] = (struct hf_task){
				.worker = job->ends[side]->w,
				.answer = end_answer,
				.arg = job->ends[side],
			};
	if (!atomic_load(&job->run->cancel))
		hf_run(tasks, n, job->run->plan->idle);
	atomic_store(&job->finished, true);
	return 0;
}

/* ---- The main thread ----------------------------------------------------------------------- */

/* A first signal asks for the end, a second one is the end. */
static void take_signals(struct running *p, const sigset_t *signals)
{
	const bool more = watch_drain(&p->watch);
	const struct timespec wait = { .tv_nsec = p->watch.count == 0 ? WATCH_NS :
						  more		      ? 0 :
									DRAIN_NS };

	if (sigtimedwait(signals, NULL, &wait) < 0)
		return;
	if (++p->signals > 2)
		_exit(STATUS_KILLED);
	atomic_store(&p->run.stop, true);
	atomic_store(&p->run.hurry, p->signals > 1);
}

static void show_progress(struct running *p, bool last)
{
	const uint64_t now_us = hf_now_us();
	uint64_t established = 0, waiting = 0;
	struct hf_state_level states[HF_STATES];

	if (now_us - p->shown_us < 1000000 && !last)
		return;
	for (unsigned i = 0; i < p->plan.pairs; i++) {
		for (enum side side = CLIENT; side <= SERVER; side++) {
			if (!plan_has(&p->plan, side))
				continue;
			hf_state_levels(p->ends[side][i].w, states);
			if (side == CLIENT || !plan_has(&p->plan, CLIENT))
				established += states[HF_ESTABLISHED].entered;
			waiting += states[HF_TIME_WAIT].now;
		}
	}
	if (last)
		fprintf(stderr, "\r\033[K");
	else
		fprintf(stderr, "\r\033[K%.0f s: %.0f connections/s, %llu in all, %llu in TIME-WAIT",
			(double)(now_us - p->run.start_us) / 1e6,
			(double)(established - p->shown) * 1e6 / (double)(now_us - p->shown_us),
			(unsigned long long)established, (unsigned long long)waiting);
	p->shown_us = now_us;
	p->shown = established;
}

static bool all(const struct running *p, size_t flag)
{
	for (unsigned i = 0; i < p->plan.cores; i++)
		if (!atomic_load((const atomic_bool *)((const char *)&p->jobs[i] + flag)))
			return false;
	return true;
}

/* The other program of a memif or vhost socket may be about to come; SYNs sent before it are lost. */
static void wait_for_carrier(struct running *p, const sigset_t *signals)
{
	const uint64_t until_us = hf_now_us() + CARRIER_US;

	while (!hf_port_link(p->ports[CLIENT][0]) && p->signals == 0) {
		if (hf_now_us() > until_us) {
			fprintf(stderr, "no carrier on %s; going on without%s\n", p->run.s->dev,
				strncmp(p->run.s->dev, "memif", 5) == 0 ?
					": do both ends of the memif have as many --cores?" :
					"");
			return;
		}
		take_signals(p, signals);
	}
}

/* While it can still be mended. */
static void warn_of_checksums(struct running *p)
{
	const enum side side = p->plan.command == COMMAND_LOAD ? CLIENT : SERVER;

	for (unsigned i = 0; i < p->plan.pairs && !p->warned; i++)
		p->warned = checksums_unfinished(p->ends[side][i].w);
	if (p->warned)
		fprintf(stderr, CHECKSUMS_UNFINISHED "\n");
}

static void say_start(const struct running *p)
{
	const bool serve = p->plan.command == COMMAND_SERVE;
	const struct hf_port *port = p->ports[serve ? SERVER : CLIENT][0];

	if (p->plan.pairs > 1)
		fprintf(stderr, "%u workers, a queue each; steering: %s\n", p->plan.pairs,
			hf_steering_name(hf_port_steering(port)));
	if (serve)
		fprintf(stderr, "serving on %s; SIGINT drains and reports\n", p->run.s->dev);
}

/* @return 0; or the first worker's error, none of them having run */
static int launch(struct running *p, const sigset_t *signals, struct hf_error *why)
{
	const bool progress = !p->run.s->quiet && isatty(STDERR_FILENO);
	const struct told_run told = { .run = &p->run, .ends = p->ends };
	const enum side watched = plan_has(&p->plan, CLIENT) ? CLIENT : SERVER;
	int rc = 0;

	if (p->plan.command == COMMAND_LOAD)
		wait_for_carrier(p, signals);
	for (unsigned i = 0; i < p->plan.cores && rc == 0; i++)
		rc = hf_env_launch(i, job_run, &p->jobs[i]);
	while (rc == 0 && !all(p, offsetof(struct job, ready)))
		take_signals(p, signals);
	for (unsigned i = 0; i < p->plan.cores && rc == 0; i++) {
		rc = p->jobs[i].error;
		*why = p->jobs[i].why;
	}
	if (rc == 0)
		rc = watch_open(&p->watch, p->run.s, p->ends[watched], p->plan.pairs, why);
	if (rc == 0)
		rc = rights_drop(&p->rights, why);
	if (rc == 0)
		rc = reports_check(p->run.s, why); /* who we are now may not be let */
	atomic_store(&p->run.cancel, rc != 0);
	p->run.start_us = p->shown_us = hf_now_us();
	atomic_store(&p->run.go, true);
	if (rc == 0)
		told_begin(&told);
	if (rc == 0 && p->plan.command != COMMAND_PAIR && !p->run.s->quiet)
		say_start(p);
	while (rc == 0 && !all(p, offsetof(struct job, finished))) {
		take_signals(p, signals);
		if (p->plan.command != COMMAND_PAIR && !p->warned)
			warn_of_checksums(p);
		if (progress)
			show_progress(p, false);
	}
	if (progress && rc == 0)
		show_progress(p, true);
	for (unsigned i = 0; i < p->plan.cores; i++)
		hf_env_wait(i);
	told_end();
	return rc;
}

/* ---- Before and after ---------------------------------------------------------------------- */

static const struct app *app_of(enum application app)
{
	static const struct app *const apps[] = {
		[APP_NONE] = &app_none,	      [APP_RR] = &app_rr,	    [APP_ECHO] = &app_echo,
		[APP_DISCARD] = &app_discard, [APP_CHARGEN] = &app_chargen, [APP_HTTP] = &app_http,
	};

	return apps[app];
}

static void run_make(struct run *run, const struct plan *plan)
{
	const struct settings *s = run->s;
	const unsigned ends = (plan->command == COMMAND_PAIR ? SIDES : 1) * plan->pairs;

	atomic_store(&run->opening, plan_has(plan, CLIENT) ? plan->pairs : 0);
	atomic_store(&run->busy, ends);
	run->plan = plan;
	run->app = app_of(s->app);
	if (plan->command == COMMAND_PAIR) {
		run->target.ip = s->ipv6 ? s->server6.first : s->server.first;
		run->target.port = s->port;
	} else if (plan->command == COMMAND_LOAD) {
		run->target.ip = s->target.at[0].range.first;
		run->target.port = s->target.at[0].port;
	}
	run->period = s->app == APP_CHARGEN ? TEXT_LINES : TEXT_PERIOD;
	for (uint32_t i = 0; i < sizeof(run->text); i++)
		run->text[i] = s->app == APP_CHARGEN ? chargen_at(i) : (uint8_t)(i % TEXT_PERIOD);
}

static int running_make(struct running *p, const struct wire *wire, struct hf_error *why)
{
	const struct plan *plan = &p->plan;
	int rc;

	p->jobs = calloc(plan->cores, sizeof(*p->jobs));
	for (unsigned side = 0; side < SIDES; side++) {
		p->ports[side] = calloc(plan->pairs, sizeof(struct hf_port *));
		p->ends[side] = calloc(plan->pairs, sizeof(struct end));
		if (!p->jobs || !p->ports[side] || !p->ends[side]) {
			snprintf(why->text, sizeof(why->text), "no memory for %u workers",
				 plan->pairs);
			return -ENOMEM;
		}
	}
	rc = wire->open(p->run.s, plan, p->ports, why);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < plan->pairs; i++) {
		for (enum side side = CLIENT; side <= SERVER; side++) {
			struct job *job =
				&p->jobs[plan->split && side == SERVER ? plan->pairs + i : i];

			if (!plan_has(plan, side))
				continue;
			job->run = &p->run;
			job->pair = i;
			job->ends[side] = &p->ends[side][i];
			if (plan->command == COMMAND_PAIR)
				job->ends[side]->peer = &p->ends[!side][i];
			job->ports[side] = p->ports[side][i];
		}
	}
	run_make(&p->run, plan);
	return 0;
}

static void running_free(struct running *p)
{
	for (unsigned side = 0; side < SIDES; side++)
		for (unsigned i = 0; p->ends[side] && i < p->plan.pairs; i++)
			end_destroy(&p->ends[side][i]);
	for (unsigned side = 0; side < SIDES; side++) {
		for (unsigned i = 0; p->ports[side] && i < p->plan.pairs; i++)
			hf_port_free(p->ports[side][i]);
		free(p->ports[side]);
		free(p->ends[side]);
	}
	free(p->jobs);
	site_free(&p->run.site); /* frames that lie in it went with the ports */
}

static int write_json(const json_t *report, const char *path)
{
	FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	int rc;

	if (!out)
		return -1;
	rc = report_json(report, out);
	if (out == stdout)
		return fflush(out) == 0 ? rc : -1;
	return fclose(out) == 0 ? rc : -1;
}

/* What programs want of the report. @return STATUS_OK or what to exit with */
static int running_json(const struct report *r, const char *program)
{
	const struct settings *s = r->s;
	json_t *report;
	int status = STATUS_OK;

	if (!s->json[0] && !s->threshold[0])
		return STATUS_OK;
	report = report_object(r);
	if (threshold_missed(s->threshold, report, program, stderr) > 0)
		status = STATUS_THRESHOLD;
	if (s->json[0] && write_json(report, s->json) < 0) {
		fprintf(stderr, "%s: --json: %s: %s\n", program, s->json, strerror(errno));
		status = STATUS_FAILED;
	}
	json_decref(report);
	return status;
}

static int running_report(const struct running *p, const char *program)
{
	const struct settings *s = p->run.s;
	struct report *r = calloc(1, sizeof(*r));
	int status = STATUS_FAILED;

	if (!r)
		return STATUS_FAILED;
	r->s = s;
	r->plan = &p->plan;
	r->steering = hf_port_steering(p->ports[plan_has(&p->plan, CLIENT) ? CLIENT : SERVER][0]);
	r->watched = p->watch.frames;
	r->unwatched = p->watch.lost;
	r->interrupted = p->signals > 0;
	if (report_gather(r, p->ends) == 0) {
		status = running_json(r, program);
		if (r->problems)
			status = STATUS_FAILED;
		if (!s->quiet)
			report_print(r, strcmp(s->json, "-") == 0 ? stderr : stdout);
		else if (r->problems)
			fprintf(stderr, "%s: %s\n", program, r->problem[0]);
		if (s->hgrm[0] && report_hgrm(r, s->hgrm) < 0) {
			fprintf(stderr, "%s: --hgrm: %s: %s\n", program, s->hgrm, strerror(errno));
			status = STATUS_FAILED;
		}
	}
	recorded_print(s, p->ends, p->plan.pairs, strcmp(s->json, "-") == 0 ? stderr : stdout);
	report_free(r);
	free(r);
	return status;
}

/* Before DPDK starts: what is wrong with the settings. @return STATUS_OK or what to exit with */
static int running_plan(struct running *p, enum command command, struct hf_error *why)
{
	const struct settings *s = p->run.s;

	if (s->break_books[0] && !books_name(s->break_books)) {
		snprintf(why->text, sizeof(why->text),
			 "--break-books: no book '%.60s'; such as client.established",
			 s->break_books);
		return STATUS_USAGE;
	}
	if (files_check(s, why) < 0 || recorded_check(s, why) < 0)
		return STATUS_USAGE;
	if (plan_make(s, command, plan_cores(s), &p->plan, why) < 0)
		return STATUS_USAGE;
	if (plan_fits_machine(s, &p->plan, why) < 0)
		return STATUS_ENVIRONMENT;
	return s->root[0] && site_load(&p->run.site, s->root, why) < 0 ? STATUS_USAGE : STATUS_OK;
}

/* DPDK is up. @return what to exit with; STATUS_ENVIRONMENT with why */
static int running_go(struct running *p, const struct wire *wire, const char *program,
		      const sigset_t *signals, struct hf_error *why)
{
	const unsigned cores = hf_env_cores();
	int status = STATUS_ENVIRONMENT, reported;

	if (cores < p->plan.cores &&
	    (cores == 0 || plan_make(p->run.s, p->plan.command, cores, &p->plan, why) < 0))
		snprintf(why->text, sizeof(why->text),
			 "EAL has %u cores for workers; name some by --cores", cores);
	else if (running_make(p, wire, why) == 0 && launch(p, signals, why) == 0)
		status = STATUS_OK;
	if (watch_close(&p->watch, program) < 0 && status == STATUS_OK)
		status = STATUS_FAILED;
	if (status != STATUS_ENVIRONMENT) {
		reported = running_report(p, program);
		if (status == STATUS_OK)
			status = p->signals > 1 ? STATUS_KILLED : reported;
	}
	running_free(p);
	return status;
}

int run_begin(const struct settings *s, const struct plan *plan, const struct wire *wire,
	      const char *program, const char *const *eal, int eal_count, struct hf_error *why)
{
	static const char *const levels[] = {
		/* of enum log_level; EAL has the first without being told */
		"", "--log-level=warning", "--log-level=notice", "--log-level=info", "--log-level=debug"
	};
	struct wanted wanted = { .vdev_count = 0 };
	const char *options[eal_count + 3];
	struct hf_env env = {
		.program = program,
		.eal = options,
		.cores = s->cores[0] ? s->cores : NULL,
		.vdevs = wanted.vdevs,
		.memory_mb = plan->memory_mb,
	};

	if (wire->want(s, plan->pairs, &wanted, why) < 0)
		return STATUS_ENVIRONMENT;
	env.vdev_count = wanted.vdev_count;
	for (int i = 0; i < wanted.eal_count; i++)
		options[env.eal_count++] = wanted.eal[i];
	if (s->log_level != LOG_ERROR)
		options[env.eal_count++] = levels[s->log_level];
	for (int i = 0; i < eal_count; i++)
		options[env.eal_count++] = eal[i];
	return env_status(hf_env_start(&env, why));
}

static int running_start(struct running *p, const struct wire *wire, const char *program,
			 const char *const *eal, int eal_count, struct hf_error *why)
{
	const int found = rights_find(&p->rights, p->run.s->user, why);
	struct sigaction hangup;
	sigset_t signals;
	int status;

	if (found != 0)
		return found == -EINVAL ? STATUS_USAGE : STATUS_ENVIRONMENT;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaction(SIGHUP, NULL, &hangup);
	if (hangup.sa_handler != SIG_IGN) /* by nohup, or who else has it outlive the terminal */
		sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL); /* of all threads: the main one waits for them */
	/* net_virtio_user writes to a vhost socket whose server may be gone */
	(void)signal(SIGPIPE, SIG_IGN);
	status = run_begin(p->run.s, &p->plan, wire, program, eal, eal_count, why);
	if (status != STATUS_OK)
		return status;
	hf_telemetry_start(plan_command(&p->plan), why); /* without it we run all the same */
	status = running_go(p, wire, program, &signals, why);
	hf_env_stop();
	return status;
}

int run_command(const struct settings *s, enum command command, const char *program,
		const char *const *eal, int eal_count)
{
	struct running *p = calloc(1, sizeof(*p));
	struct hf_error why = { "no memory" };
	int status;

	if (!p)
		return STATUS_FAILED;
	p->run.s = s;
	status = running_plan(p, command, &why);
	if (status == STATUS_OK)
		status = running_start(p, command == COMMAND_PAIR ? &wire_pair : &wire_one, program,
				       eal, eal_count, &why);
	if (status == STATUS_ENVIRONMENT || status == STATUS_USAGE)
		fprintf(stderr, "%s: %s\n", program, why.text);
	free(p);
	return status;
}
