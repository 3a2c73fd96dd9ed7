/* SPDX-License-Identifier: BSD-3-Clause */
/* A profile: YAML, read as a document so that every complaint names its line. Called by options.c. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <yaml.h>

#define MAX_ROWS 128

struct reader {
	const char *path;
	yaml_document_t document;
	struct settings *s;
	struct hf_error *why;
	bool seen[MAX_ROWS];
};

static int complain(const struct reader *r, size_t line, const char *key, const char *what)
{
	const size_t len = strlen(r->path);

	snprintf(r->why->text, sizeof(r->why->text), "%.60s:%u: %.40s%s%.120s",
		 r->path + (len > 60 ? len - 60 : 0), (unsigned)line + 1, key, key[0] ? ": " : "",
		 what);
	return -EINVAL;
}

static const char *scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* A NUL would end it early for whoever compares. */
static bool is_text(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(scalar(node));
}

static bool by_commas(const struct row *row)
{
	return value_is_list(row) || row->type == VALUE_CORES || row->type == VALUE_IMPAIR;
}

static bool is_section(const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = 0; i < config_row_count; i++)
		if (config_rows[i].key && strncmp(config_rows[i].key, name, n) == 0 &&
		    config_rows[i].key[n] == '.')
			return true;
	return false;
}

static int read_value(struct reader *r, const char *key, const yaml_node_t *node,
		      const yaml_node_t *value)
{
	const struct row *row = config_find_key(key);
	const size_t line = node->start_mark.line;
	struct hf_error what;
	char text[160];

	if (!row) {
		const char *near = config_nearest(key, false, 0);

		snprintf(text, sizeof(text), "no such key%s%s",
			 near ? ", did you mean " : "; config --print lists all", near ? near : "");
		return complain(r, line, key, text);
	}
	if (r->seen[row - config_rows])
		return complain(r, line, key, "is given twice; leave one");
	r->seen[row - config_rows] = true;
	if (!is_text(value))
		return complain(r, line, key,
				by_commas(row) ? "must be one value; separate by commas" :
						 "must be one value");
	if (value_parse(row, scalar(value), r->s, &what) < 0)
		return complain(r, line, key, what.text);
	return 0;
}

/* A mapping of keys; prefix is "" or the section it stands in. */
/* NOLINTNEXTLINE(misc-no-recursion): a section holds no section */
static int read_mapping(struct reader *r, const char *prefix, const yaml_node_t *mapping)
{
	const yaml_node_pair_t *pair;
	char sections[8][64];
	unsigned n = 0;

	for (pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
	     pair++) {
		const yaml_node_t *node = yaml_document_get_node(&r->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(&r->document, pair->value);
		char key[64];
		int rc;

		if (!is_text(node))
			return complain(r, node->start_mark.line, prefix, "a key must be a name");
		snprintf(key, sizeof(key), "%s%s%s", prefix, prefix[0] ? "." : "", scalar(node));
		if (prefix[0] || !is_section(key)) {
			rc = read_value(r, key, node, value);
		} else if (value->type != YAML_MAPPING_NODE) {
			return complain(r, node->start_mark.line, key,
					"is a section; keys must follow, indented");
		} else {
			for (unsigned i = 0; i < n; i++)
				if (strcmp(sections[i], key) == 0)
					return complain(r, node->start_mark.line, key,
							"is given twice; leave one section");
			if (n < sizeof(sections) / sizeof(sections[0]))
				memcpy(sections[n++], key, sizeof(key));
			rc = read_mapping(r, key, value);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* @return 1; 0 when no document follows; -EINVAL */
static int read_document(yaml_parser_t *parser, bool first, struct reader *r)
{
	const yaml_node_t *root;
	int rc;

	if (!yaml_parser_load(parser, &r->document))
		return complain(r, parser->problem_mark.line, "",
				parser->problem ? parser->problem : "is no YAML");
	root = yaml_document_get_root_node(&r->document);
	rc = root ? 1 : 0;
	if (root && !first)
		rc = complain(r, root->start_mark.line, "", "a second document; leave one");
	else if (root && root->type == YAML_MAPPING_NODE)
		rc = read_mapping(r, "", root) < 0 ? -EINVAL : 1;
	else if (root && !(root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0))
		rc = complain(r, root->start_mark.line, "",
			      "is no profile; KEY: VALUE lines are expected");
	yaml_document_delete(&r->document);
	return rc;
}

static int read_file(FILE *file, struct reader *r)
{
	yaml_parser_t parser;
	int rc;

	if (!yaml_parser_initialize(&parser))
		return complain(r, 0, "", "no memory to read it");
	yaml_parser_set_input_file(&parser, file);
	rc = read_document(&parser, true, r);
	if (rc > 0)
		rc = read_document(&parser, false, r);
	yaml_parser_delete(&parser);
	return rc;
}

void profile_path(const char *name, char path[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t n;

	snprintf(path, PATH_MAX, "%s", name);
	if (access(path, F_OK) == 0 || strchr(name, '/'))
		return;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		return;
	self[n] = '\0';
	snprintf(path, PATH_MAX, "%.3800s/../share/handfast/%.200s%s", dirname(self), name,
		 strstr(name, ".yaml") ? "" : ".yaml");
}

int profile_read(const char *name, struct settings *s, struct hf_error *why)
{
	char path[PATH_MAX];
	struct reader r = { .path = path, .s = s, .why = why };
	FILE *file;
	int rc;

	profile_path(name, path);
	file = fopen(path, "re");
	if (!file) {
		snprintf(why->text, sizeof(why->text),
			 "%.120s: %s; give a file, or the name of an installed profile", name,
			 strerror(errno));
		return -EINVAL;
	}
	rc = read_file(file, &r);
	(void)fclose(file);
	for (char *c = why->text; rc < 0 && *c != '\0'; c++) /* of keys and values: one line */
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return rc;
}

void profile_quote(const char *value, FILE *out)
{
	unsigned char text[12 * TEXT_ROOM]; /* an octet may need "\\xNN" */
	yaml_document_t document;
	yaml_emitter_t emitter;
	size_t len = 0;

	if (!yaml_emitter_initialize(&emitter) ||
	    !yaml_document_initialize(&document, NULL, NULL, NULL, 1, 1))
		return;
	yaml_emitter_set_output_string(&emitter, text, sizeof(text), &len);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	yaml_document_add_scalar(&document, NULL, (const yaml_char_t *)value, -1,
				 YAML_DOUBLE_QUOTED_SCALAR_STYLE);
	/* Ends with a newline; empty when value is no UTF-8, which no profile can hold. */
	if (yaml_emitter_dump(&emitter, &document) && len > 0)
		fprintf(out, "%.*s", (int)len - 1, text);
	else
		fprintf(out, "\"%s\"", value);
	yaml_emitter_delete(&emitter);
}
