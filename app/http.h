/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1.1 messages (RFC 9112) as they come in, piece by piece, parsed by http_parser: what app_http.c
 * has to know of them and no more.
 */
#ifndef HF_APP_HTTP_H
#define HF_APP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <http_parser.h>

#define HTTP_TARGET 1024 /* octets of a request target: more is 414 */
#define HTTP_HEAD_ROOM 256

struct http {
	struct http_parser parser;
	uint64_t body, body_max; /* octets so far, and at most (413) */
	uint32_t url;		 /* octets of the request target so far */
	uint8_t hosts;		 /* Host fields: one is wanted (RFC 9112 3.2) */
	uint8_t field_len;
	bool in_value, expects; /* Expect: 100-continue */
	bool begun, headed, too_large, too_long;
	bool complete, persists; /* persists: another message may follow (RFC 9112 9.3) */
	char field[8];		 /* a header's name so far, if it is as short */
	char target[HTTP_TARGET];
};

enum http_kind { HTTP_KIND_REQUEST, HTTP_KIND_RESPONSE };

/** @param body_max  octets of a body that are taken */
void http_begin(struct http *http, enum http_kind kind, uint64_t body_max);

/** Octets of one message; len 0: no more will come. @return how many of them belong to it; less than len
 *  when it is complete, or when it is none */
size_t http_take(struct http *http, const char *text, size_t len);

/** Whether what came is no message, or none that is taken. */
bool http_malformed(const struct http *http);

/** Whether the sender waits for a word before it sends the body (RFC 9110 10.1.1). Told once. */
bool http_expects(struct http *http);

/** What a complete or malformed request deserves: 200 for GET, HEAD and POST of what may be there; 400, 405,
 *  413, 414, 431, 505. */
unsigned http_verdict(const struct http *http);

/** Write an answer's head. @param persists  more requests are welcome @return its length */
size_t http_head(char room[HTTP_HEAD_ROOM], unsigned status, const char *type, uint64_t length,
		 bool persists);

/** "Not Found" */
const char *http_reason(unsigned status);

#endif
