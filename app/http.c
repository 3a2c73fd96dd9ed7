/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP/1.1 messages by http_parser, which allocates nothing and takes pieces of any length. Called by
 * app_http.c. RFC 9110, RFC 9112. */
#include "http.h"

#include <stdio.h>
#include <string.h>

static int take_url(http_parser *parser, const char *text, size_t len)
{
	struct http *http = parser->data;

	for (size_t i = 0; i < len && http->url + i < sizeof(http->target); i++)
		http->target[http->url + i] = text[i];
	http->url += (uint32_t)len;
	return 0;
}

static int take_body(http_parser *parser, const char *text, size_t len)
{
	struct http *http = parser->data;

	(void)text;
	http->body += len;
	return 0;
}

/* Stop here: what follows is the next message. */
static int take_end(http_parser *parser)
{
	struct http *http = parser->data;

	http->complete = true;
	http->persists = http_should_keep_alive(parser) && !parser->upgrade;
	http_parser_pause(parser, 1);
	return 0;
}

void http_begin(struct http *http, enum http_kind kind)
{
	memset(http, 0, sizeof(*http));
	http_parser_init(&http->parser, kind == HTTP_KIND_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE);
	http->parser.data = http;
}

size_t http_take(struct http *http, const char *text, size_t len)
{
	static const http_parser_settings settings = {
		.on_url = take_url,
		.on_body = take_body,
		.on_message_complete = take_end,
	};

	return http_parser_execute(&http->parser, &settings, text, len);
}

bool http_malformed(const struct http *http)
{
	return !http->complete && HTTP_PARSER_ERRNO(&http->parser) != HPE_OK;
}

unsigned http_verdict(const struct http *http)
{
	if (HTTP_PARSER_ERRNO(&http->parser) == HPE_HEADER_OVERFLOW)
		return 431;
	if (!http->complete)
		return 400;
	if (http->parser.method != HTTP_GET && http->parser.method != HTTP_HEAD)
		return 405;
	if (http->target[0] != '/' || (http->url > 1 && http->target[1] != '?'))
		return 404;
	return 200;
}

const char *http_reason(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	default:
		return "Bad Request";
	}
}

size_t http_head(char *room, size_t size, unsigned status, uint64_t length, bool persists)
{
	const int len =
		snprintf(room, size,
			 "HTTP/1.1 %u %s\r\nServer: handfast\r\nContent-Type: %s\r\n"
			 "Content-Length: %llu\r\n%sConnection: %s\r\n\r\n",
			 status, http_reason(status),
			 status == 200 ? "application/octet-stream" : "text/plain",
			 (unsigned long long)length, status == 405 ? "Allow: GET, HEAD\r\n" : "",
			 persists ? "keep-alive" : "close");

	return (size_t)len;
}
