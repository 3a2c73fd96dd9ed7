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

struct http {
	struct http_parser parser;
	uint64_t body; /* octets so far */
	uint32_t url;  /* octets of the request target so far */
	char target[2];
	bool complete, persists; /* persists: another message may follow (RFC 9112 9.3) */
};

enum http_kind { HTTP_KIND_REQUEST, HTTP_KIND_RESPONSE };

void http_begin(struct http *http, enum http_kind kind);

/** Octets of one message; len 0: no more will come. @return how many of them belong to it; less than len
 *  when it is complete, or when it is none */
size_t http_take(struct http *http, const char *text, size_t len);

/** Whether what came is no message. */
bool http_malformed(const struct http *http);

/** What a complete or malformed request deserves: 200 for GET and HEAD of /, 404, 405, 400, 431. */
unsigned http_verdict(const struct http *http);

/** Write an answer's head. @param persists  more requests are welcome @return its length */
size_t http_head(char *room, size_t size, unsigned status, uint64_t length, bool persists);

/** "Not Found" */
const char *http_reason(unsigned status);

#endif
