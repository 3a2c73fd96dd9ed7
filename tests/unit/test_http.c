/* SPDX-License-Identifier: BSD-3-Clause */
/* app/http.c: requests and responses in pieces of every length, and what is none (RFC 9112). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http.h"
#include "site.h"

#define BODY_MAX 10

/* All of text in pieces of so many octets. @return octets used */
static size_t take(struct http *http, enum http_kind kind, const char *text, size_t piece)
{
	const size_t len = strlen(text);
	size_t at = 0;

	http_begin(http, kind, BODY_MAX);
	while (at < len && !http->complete && !http_malformed(http))
		at += http_take(http, text + at, len - at < piece ? len - at : piece);
	return at;
}

static void requests__in_pieces__are_judged(void **state)
{
	static const struct {
		const char *text;
		unsigned verdict;
		bool persists;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 200, true },
		{ "HEAD /?a=b HTTP/1.1\r\nHost: x\r\n\r\n", 200, true },
		{ "GET / HTTP/1.1\r\nConnection: close\r\nhOST:x\r\n\r\n", 200, false },
		{ "GET / HTTP/1.0\r\n\r\n", 200, false },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, true },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 200, true },
		{ "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 405, true },
		{ "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, false },
		{ "GET / HTTP/1.1\r\n\r\n", 400, true }, /* RFC 9112 3.2 */
		{ "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, true },
		{ "GET / HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n", 400, false }, /* RFC 9112 5.1 */
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc", 400, false },
		{ "GET / HTTP/1.1\r\nContent-Length: -3\r\n\r\n", 400, false },
		{ "GET / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, false },
		{ "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400,
		  false },
		{ "\x16\x03\x01", 400, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t piece = 1; piece <= strlen(cases[i].text); piece++) {
			struct http http;
			const size_t used = take(&http, HTTP_KIND_REQUEST, cases[i].text, piece);

			assert_int_equal(http_verdict(&http), cases[i].verdict);
			if (cases[i].verdict == 400)
				continue;
			assert_true(http.complete);
			assert_int_equal(used, strlen(cases[i].text));
			assert_int_equal(http.persists, cases[i].persists);
		}
	}
}

static void a_pipeline__ends_at_each_request(void **state)
{
	static const char text[] =
		"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n";
	struct http http;
	size_t used;

	(void)state;
	used = take(&http, HTTP_KIND_REQUEST, text, sizeof(text));
	assert_int_equal(used, strlen("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_int_equal(http_verdict(&http), 200);
	used += take(&http, HTTP_KIND_REQUEST, text + used, sizeof(text));
	assert_int_equal(used, sizeof(text) - 1);
	assert_memory_equal(http.target, "/x", http.url);
}

static void a_head_without_end__is_refused(void **state)
{
	static const char line[] =
		"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
	struct http http;
	size_t n = 0;

	(void)state;
	take(&http, HTTP_KIND_REQUEST, "GET / HTTP/1.1\r\n", 100);
	while (!http_malformed(&http) && n++ < 10000)
		http_take(&http, line, sizeof(line) - 1);
	assert_in_range(n, 1, 2000);
	assert_int_equal(http_verdict(&http), 431);
}

static void responses__have_status_and_length(void **state)
{
	struct http http;

	(void)state;
	take(&http, HTTP_KIND_RESPONSE, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 3);
	assert_true(http.complete);
	assert_int_equal(http.parser.status_code, 200);
	assert_int_equal(http.body, 5);
	take(&http, HTTP_KIND_RESPONSE, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 3);
	http_take(&http, NULL, 0);
	assert_false(http.complete);
	take(&http, HTTP_KIND_RESPONSE, "HTTP/1.1 503 Busy\r\n\r\nto the end", 3);
	assert_false(http.complete);
	http_take(&http, NULL, 0);
	assert_true(http.complete);
	assert_int_equal(http.parser.status_code, 503);
	assert_int_equal(http.body, strlen("to the end"));
}

/* RFC 9112 6.3 */
static void responses__without_body__end_with_their_head(void **state)
{
	static const char *const heads[] = {
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct http http;

		take(&http, HTTP_KIND_RESPONSE, heads[i], 7);
		assert_true(http.complete);
		assert_true(http.persists);
	}
}

static void limits__of_target_and_body(void **state)
{
	char target[HTTP_TARGET + 32] = "GET /";
	struct http http;

	(void)state;
	memset(target + 5, 'x', HTTP_TARGET);
	for (size_t piece = 1; piece < 3000; piece += 700) {
		take(&http, HTTP_KIND_REQUEST, target, piece);
		assert_true(http_malformed(&http));
		assert_int_equal(http_verdict(&http), 414);
		take(&http, HTTP_KIND_REQUEST,
		     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", piece);
		assert_int_equal(http_verdict(&http), 413);
		take(&http, HTTP_KIND_REQUEST,
		     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n",
		     piece);
		assert_int_equal(http_verdict(&http), 413);
	}
}

/* RFC 9110 10.1.1: once, before the body, and not when there is none to wait for, or HTTP/1.0 does not know the word. */
static void expect__told_once(void **state)
{
	struct http http;

	(void)state;
	take(&http, HTTP_KIND_REQUEST,
	     "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", 7);
	assert_true(http_expects(&http));
	assert_false(http_expects(&http));
	http_take(&http, "abc", 3);
	assert_int_equal(http_verdict(&http), 200);
	assert_false(http_expects(&http));
	take(&http, HTTP_KIND_REQUEST, "GET / HTTP/1.1\r\nExpect: x\r\nHost: x\r\n\r\n", 7);
	assert_false(http_expects(&http));
	take(&http, HTTP_KIND_REQUEST,
	     "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", 7);
	assert_false(http_expects(&http));
}

/* RFC 9112 3.2, RFC 3986 2.1 */
static void targets__become_paths(void **state)
{
	static const struct {
		const char *target, *path; /* NULL: none */
	} cases[] = {
		{ "/", "/" },
		{ "/a%2fb%20c?q=%", "/a/b c" },
		{ "http://host:80/x", "/x" },
		{ "/../etc/passwd", "/../etc/passwd" },
		{ "/%00", NULL },
		{ "/%0", NULL },
		{ "/%", NULL },
		{ "/%zz", NULL },
		{ "*", NULL },
		{ "http://host", NULL },
		{ "/12345678901234567890", NULL },
	};
	char path[20];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const int n = site_path(cases[i].target, strlen(cases[i].target), path, sizeof(path));

		assert_int_equal(n, cases[i].path ? (int)strlen(cases[i].path) : -1);
		if (n >= 0)
			assert_string_equal(path, cases[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests__in_pieces__are_judged),
		cmocka_unit_test(a_pipeline__ends_at_each_request),
		cmocka_unit_test(a_head_without_end__is_refused),
		cmocka_unit_test(responses__have_status_and_length),
		cmocka_unit_test(responses__without_body__end_with_their_head),
		cmocka_unit_test(limits__of_target_and_body),
		cmocka_unit_test(expect__told_once),
		cmocka_unit_test(targets__become_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
