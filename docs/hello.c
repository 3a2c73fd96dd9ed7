/* SPDX-License-Identifier: BSD-3-Clause */
/* The library in one page: two ends in this process, one connection, a greeting and its answer.
 * cc hello.c $(pkg-config --cflags --libs handfast) && ./a.out */
#include <handfast.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int rc, const struct hf_error *why)
{
	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", strerror(-rc), why->text);
		exit(1);
	}
}

/* Both ends in one: whoever connected greets, whoever was called (cookie 1) answers; then both close. */
static bool answer(void *arg, struct hf_worker *w, uint64_t now_us, const struct hf_event *ev,
		   unsigned n)
{
	bool *open = arg;
	char text[64];

	(void)now_us;
	for (unsigned i = 0; i < n; i++) {
		uint64_t id = ev[i].id;

		if (ev[i].what & HF_EV_CONNECTED)
			hf_send(w, id, "hello", 5);
		if (ev[i].what & HF_EV_ACCEPT)
			hf_accept(w, ev[i].listener, ev[i].cookie, &id);
		if (ev[i].what & HF_EV_READABLE)
			printf("%.*s\n", (int)hf_recv(w, id, text, sizeof(text)), text);
		if ((ev[i].what & HF_EV_READABLE) && ev[i].cookie == 1) {
			hf_send(w, id, "hello to you", 12);
			hf_close(w, id);
		} else if (ev[i].what & HF_EV_EOF) {
			hf_close(w, id);
		}
		*open = *open && !(ev[i].what & HF_EV_CLOSED);
	}
	return *open;
}

int main(void)
{
	const char *const at[] = { "198.18.0.1", "198.19.0.1:7" };
	bool open[] = { true, true };
	struct hf_task task[2];
	struct hf_config config;
	struct hf_port *port[2];
	struct hf_addr addr;
	struct hf_error why = { "" };
	uint32_t listener;
	uint64_t id;

	must(hf_env_start(&(struct hf_env){ .program = "hello", .memory_mb = 64 }, &why), &why);
	must(hf_port_ring_pair("hello", 1, 256, 512, 0, &port[0], &port[1], &why), &why);
	for (unsigned i = 0; i < 2; i++) {
		hf_config_defaults(&config);
		hf_addr_parse(at[i], &addr);
		config.local[config.locals++] = (struct hf_ip_range){ addr.ip, 1 };
		memcpy(config.mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)i }, 6);
		memcpy(config.gateway_mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)!i }, 6);
		task[i] = (struct hf_task){ .answer = answer, .arg = &open[i] };
		must(hf_worker_create(&config, port[i], &task[i].worker, &why), &why);
	}
	must(hf_listen(task[1].worker, &addr, 1, &listener), &why);
	must(hf_connect(task[0].worker, NULL, &addr, 0, &id), &why);
	hf_run(task, 2, HF_IDLE_SPIN);
	for (unsigned i = 0; i < 2; i++) {
		hf_worker_destroy(task[i].worker);
		hf_port_free(port[i]);
	}
	hf_env_stop();
	return 0;
}
