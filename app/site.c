/* SPDX-License-Identifier: BSD-3-Clause */
/* Files read into memory, and the way from a request target to one of them (RFC 9112 3.2, RFC 3986 2.1). */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <http_parser.h>

#include "device.h"

#define PATH_ROOM 1024

static const char *type_of(const char *path)
{
	static const struct {
		const char *end, *type;
	} types[] = {
		{ ".html", "text/html" },	 { ".txt", "text/plain" },
		{ ".css", "text/css" },		 { ".js", "text/javascript" },
		{ ".json", "application/json" }, { ".svg", "image/svg+xml" },
		{ ".png", "image/png" },	 { ".jpg", "image/jpeg" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(dot, types[i].end) == 0)
			return types[i].type;
	return "application/octet-stream";
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct page *)a)->path, ((const struct page *)b)->path);
}

/* @return 0 or -ENOMEM */
static int site_add(struct site *site, const char *path, uint64_t len)
{
	struct page *pages = site->pages;

	if ((site->count & (site->count - 1)) == 0) { /* full, being a power of two */
		pages = realloc(pages, sizeof(*pages) * (site->count ? 2 * site->count : 1));
		if (!pages)
			return -ENOMEM;
		site->pages = pages;
	}
	pages[site->count] = (struct page){ strdup(path), site->len, len, type_of(path) };
	if (!pages[site->count].path)
		return -ENOMEM;
	site->count++;
	site->len += len;
	return 0;
}

/* Names and lengths of all files. */
static int site_walk(struct site *site, const char *dir, struct hf_error *why)
{
	char *const roots[] = { (char *)(uintptr_t)dir, NULL }; /* fts_open writes none of it */
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	const size_t strip = strlen(dir) - (dir[strlen(dir) - 1] == '/');
	int rc = walk ? 0 : -errno;

	for (FTSENT *entry; rc == 0 && (entry = fts_read(walk)) != NULL;) {
		if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS ||
		    entry->fts_info == FTS_DNR)
			rc = -entry->fts_errno;
		else if (entry->fts_level == FTS_ROOTLEVEL && entry->fts_info != FTS_D &&
			 entry->fts_info != FTS_DP)
			rc = -ENOTDIR;
		else if (entry->fts_info == FTS_F)
			rc = site_add(site, entry->fts_path + strip,
				      (uint64_t)entry->fts_statp->st_size);
		if (rc < 0)
			snprintf(why->text, sizeof(why->text), "--root: %.150s: %s",
				 entry->fts_path, strerror(-rc));
	}
	if (walk)
		fts_close(walk);
	return rc;
}

/* @return 0 or a negative errno; -EBUSY: the file has become shorter */
static int page_read(const char *dir, const struct page *page, uint8_t *to)
{
	char path[PATH_ROOM];
	uint64_t got = 0;
	ssize_t n = 1;
	int fd;

	if (snprintf(path, sizeof(path), "%s%s", dir, page->path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	while (fd >= 0 && got < page->len && n > 0) {
		n = read(fd, to + got, page->len - got);
		if (n > 0)
			got += (uint64_t)n;
	}
	if (fd < 0 || n < 0)
		n = -errno;
	if (fd >= 0)
		close(fd);
	return n < 0 ? (int)n : got < page->len ? -EBUSY : 0;
}

int site_load(struct site *site, const char *dir, struct hf_error *why)
{
	const uint64_t room_kb = kernel_number("/proc/meminfo", "MemAvailable:");
	int rc;

	memset(site, 0, sizeof(*site));
	rc = site_walk(site, dir, why);
	if (rc < 0)
		return rc;
	if (room_kb && site->len >> 10 > room_kb / 2) {
		snprintf(why->text, sizeof(why->text),
			 "--root: %.100s: its files have %llu MiB, more than half of the memory that is available",
			 dir, (unsigned long long)(site->len >> 20));
		return -ENOMEM;
	}
	site->octets = malloc(site->len + 1);
	if (!site->octets)
		return -ENOMEM;
	for (size_t i = 0; i < site->count; i++) {
		rc = page_read(dir, &site->pages[i], site->octets + site->pages[i].offset);
		if (rc < 0) {
			snprintf(why->text, sizeof(why->text), "--root: %.80s%.80s: %s", dir,
				 site->pages[i].path, strerror(-rc));
			return rc;
		}
	}
	if (site->count)
		qsort(site->pages, site->count, sizeof(*site->pages), by_path);
	return 0;
}

void site_free(struct site *site)
{
	for (size_t i = 0; i < site->count; i++)
		free(site->pages[i].path);
	free(site->pages);
	free(site->octets);
	memset(site, 0, sizeof(*site));
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				      -1;
}

int site_path(const char *target, size_t len, char *path, size_t room)
{
	struct http_parser_url url;
	size_t n = 0, end;

	http_parser_url_init(&url);
	if (http_parser_parse_url(target, len, 0, &url) != 0 || !(url.field_set & 1 << UF_PATH))
		return -1;
	if (target[url.field_data[UF_PATH].off] != '/') /* "*" of OPTIONS */
		return -1;
	end = (size_t)url.field_data[UF_PATH].off + url.field_data[UF_PATH].len;
	for (size_t i = url.field_data[UF_PATH].off; i < end; i++) {
		char c = target[i];

		if (c == '%') { /* RFC 3986 2.1 */
			const int high = end - i > 2 ? hex(target[i + 1]) : -1;
			const int low = end - i > 2 ? hex(target[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0' || n + 1 >= room)
			return -1;
		path[n++] = c;
	}
	path[n] = '\0';
	return (int)n;
}

const struct page *site_find(const struct site *site, const char *target, size_t len)
{
	static const char index[] = "index.html";
	char path[PATH_ROOM];
	const int n = site_path(target, len, path, sizeof(path) - sizeof(index));
	const struct page key = { .path = path };

	if (n <= 0 || !site->count)
		return NULL;
	if (path[n - 1] == '/')
		memcpy(path + n, index, sizeof(index));
	return bsearch(&key, site->pages, site->count, sizeof(*site->pages), by_path);
}
