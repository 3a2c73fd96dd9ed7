/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that changes hands without a copy: received mbufs to the application, mbufs and memory of the
 * application's into send queues (SEND, RECEIVE; RFC 9293 3.10.2, 3.10.3). handfast.h says who owns what. */
#include <errno.h>
#include <stdlib.h>

#include "io/worker.h"

struct hf_store {
	struct rte_mbuf_ext_shared_info info; /* counts the mbufs that lie in it, and its maker */
	const uint8_t *octets;
	size_t len;
	void (*done)(void *arg);
	void *arg;
};

ssize_t hf_recv_mbuf(struct hf_worker *w, uint64_t id, struct rte_mbuf **m)
{
	struct connection *c;
	const ssize_t waiting = connection_waiting(w, id, &c);

	if (waiting <= 0)
		return waiting;
	*m = text_hand_over(w, c);
	connection_taken(w, (handle)id, c, (*m)->data_len);
	return (*m)->data_len;
}

const void *hf_mbuf_text(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, const void *);
}

void hf_mbuf_free(struct rte_mbuf *m)
{
	rte_pktmbuf_free(m);
}

ssize_t hf_send_mbuf(struct hf_worker *w, uint64_t id, struct rte_mbuf *m)
{
	struct connection *c;
	ssize_t taken = connection_sending(w, id, &c);

	if (m->nb_segs != 1 || m->data_len == 0)
		return -EINVAL;
	if (taken < 0)
		return taken;
	taken = text_queue_mbuf(w, &c->tcb, m);
	connection_sent(w, id, c, taken);
	return taken;
}

/* The last one has let go. */
static void store_end(void *octets, void *opaque)
{
	struct hf_store *const store = opaque;

	(void)octets;
	if (store->done != NULL)
		store->done(store->arg);
	free(store);
}

int hf_store_make(const void *octets, size_t len, void (*done)(void *arg), void *arg,
		  struct hf_store **store)
{
	struct hf_store *const made = malloc(sizeof(*made));

	if (made == NULL)
		return -ENOMEM;
	*made = (struct hf_store){
		.info = { .free_cb = store_end, .fcb_opaque = made },
		.octets = octets,
		.len = len,
		.done = done,
		.arg = arg,
	};
	rte_mbuf_ext_refcnt_set(&made->info, 1);
	*store = made;
	return 0;
}

void hf_store_free(struct hf_store *store)
{
	if (store != NULL && rte_mbuf_ext_refcnt_update(&store->info, (int16_t)-1) == 0)
		store_end(NULL, store);
}

ssize_t hf_send_store(struct hf_worker *w, uint64_t id, struct hf_store *store, size_t offset,
		      size_t len)
{
	struct connection *c;
	ssize_t taken = connection_sending(w, id, &c);
	struct tcb *tcb;

	if (offset > store->len || len > store->len - offset)
		return -EINVAL;
	if (taken < 0)
		return taken;
	tcb = &c->tcb;
	taken = w->port->borrows ?
			text_queue_store(w, tcb, &store->info, store->octets + offset, len) :
			text_queue(w, tcb, store->octets + offset, len);
	connection_sent(w, id, c, taken);
	return taken;
}
