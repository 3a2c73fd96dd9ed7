/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files that `serve --app http --root DIR` has: read once, at the start, so that no worker ever waits for
 * a disk and nothing outside DIR can be named. Made by run.c; asked by app_http.c.
 */
#ifndef HF_APP_SITE_H
#define HF_APP_SITE_H

#include <stddef.h>
#include <stdint.h>

#include "handfast.h"

struct page {
	char *path; /* "/a/b.html" */
	uint64_t offset, len;
	const char *type;
};

struct site {
	struct page *pages; /* by path */
	size_t count;
	uint8_t *octets; /* of all pages */
	uint64_t len;
};

/** Read all regular files below dir; symbolic links are not followed. @return 0 or a negative errno */
int site_load(struct site *site, const char *dir, struct hf_error *why);
void site_free(struct site *site);

/**
 * The page that a request target names: origin-form or absolute-form (RFC 9112 3.2), with %XX and a query;
 * one that ends in "/" names its index.html. There are no "." and ".." among the pages.
 * @return NULL: none
 */
const struct page *site_find(const struct site *site, const char *target, size_t len);

/** The path of a request target, decoded. @return its length; -1 it is none, or longer than room */
int site_path(const char *target, size_t len, char *path, size_t room);

#endif
