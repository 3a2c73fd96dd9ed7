/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP messages of any octets: the first one says requests or responses and how they are cut; what comes of them
 * is the same whatever the cuts, and a request target never names what is not there. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "http.h"
#include "site.h"

#define BODY_MAX 64
#define PATH_ROOM 32

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* One message. @return octets used */
static size_t take(struct http *http, enum http_kind kind, const uint8_t *text, size_t len,
		   size_t piece)
{
	size_t at = 0;

	http_begin(http, kind, BODY_MAX);
	while (at < len && !http->complete && !http_malformed(http)) {
		const size_t n = len - at < piece ? len - at : piece;
		char *copy = malloc(n); /* of its size: reading on is seen */

		if (!copy)
			abort();
		memcpy(copy, text + at, n);
		at += http_take(http, copy, n);
		free(copy);
		http_expects(http);
	}
	if (http->complete && http->body > BODY_MAX)
		abort();
	return at;
}

static void look_up(const struct http *http)
{
	static const struct page pages[] = { { (char *)(uintptr_t) "/a", 0, 1, "" },
					     { (char *)(uintptr_t) "/b/index.html", 1, 2, "" } };
	const struct site site = { .pages = (struct page *)(uintptr_t)pages, .count = 2, .len = 3 };
	const struct page *page = site_find(&site, http->target, http->url);
	char path[PATH_ROOM], head[HTTP_HEAD_ROOM];
	const int n = site_path(http->target, http->url, path, sizeof(path));

	if (page && page != &pages[0] && page != &pages[1])
		abort();
	if (n >= 0 && (n >= PATH_ROOM || path[0] != '/' || strlen(path) != (size_t)n))
		abort();
	if (http_head(head, http_verdict(http), "application/octet-stream", UINT64_MAX, true) >=
	    sizeof(head))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const enum http_kind kind = len && data[0] & 1 ? HTTP_KIND_RESPONSE : HTTP_KIND_REQUEST;
	const size_t piece = len ? 1 + (data[0] >> 1) : 1;
	size_t at = 1;

	while (at < len) {
		struct http whole, cut;
		const size_t used = take(&whole, kind, data + at, len - at, len);

		if (take(&cut, kind, data + at, len - at, piece) != used && whole.complete)
			abort();
		if (whole.complete != cut.complete || http_malformed(&whole) != http_malformed(&cut))
			abort();
		if (whole.complete &&
		    (http_verdict(&whole) != http_verdict(&cut) || whole.body != cut.body))
			abort();
		if (kind == HTTP_KIND_REQUEST)
			look_up(&whole);
		if (!whole.complete)
			break;
		at += used;
	}
	return 0;
}
