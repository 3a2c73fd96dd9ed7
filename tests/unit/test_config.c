/* SPDX-License-Identifier: BSD-3-Clause */
/* Every row of the table, as a profile's key and as an option: right, out of range, of the wrong type;
 * unknown, twice, missing; what is printed reads back the same (HF-KN1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

#define FOR_ROWS(row) \
	for (const struct row *row = config_rows; row < config_rows + config_row_count; row++)

static bool is_number(const struct row *row)
{
	return row->type == VALUE_COUNT || row->type == VALUE_SIZE || row->type == VALUE_RATE ||
	       row->type == VALUE_MSEC || row->type == VALUE_USEC;
}

/* Read a profile made of this text. */
static int read_text(const char *text, struct settings *s, struct hf_error *why)
{
	char path[] = "/tmp/test_config.XXXXXX";
	const int fd = mkstemp(path);
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	config_defaults(s);
	memset(why, 0, sizeof(*why));
	rc = profile_read(path, s, why);
	unlink(path);
	return rc;
}

static void refused(const char *text, const char *says)
{
	struct settings s;
	struct hf_error why;

	assert_int_equal(read_text(text, &s, &why), -22);
	if (!strstr(why.text, says))
		fail_msg("'%s' does not say '%s'", why.text, says);
	assert_null(strchr(why.text, '\n'));
}

static int options(struct settings *s, struct hf_error *why, ...)
{
	char *argv[8] = { (char *)"pair" };
	va_list ap;
	int argc = 1;

	config_defaults(s);
	memset(why, 0, sizeof(*why));
	va_start(ap, why);
	while ((argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	return options_read(COMMAND_PAIR, argc, argv, s, why);
}

/* A number in the row's unit, that many beyond what is allowed. */
static void beyond(const struct row *row, uint64_t value, char text[64])
{
	snprintf(text, 64, "%llu%s", (unsigned long long)value,
		 row->type == VALUE_MSEC ? "ms" :
		 row->type == VALUE_USEC ? "us" :
					   "");
}

/* HF-KN1 */
static void each_number__out_of_range__is_refused(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		struct settings s;
		struct hf_error why;
		char text[64];

		if (!is_number(row))
			continue;
		config_defaults(&s);
		if (row->max < UINT64_MAX) {
			beyond(row, row->max + 1, text);
			assert_int_equal(value_parse(row, text, &s, &why), -22);
			assert_non_null(strstr(why.text, "out of range"));
			beyond(row, row->max, text);
			assert_int_equal(value_parse(row, text, &s, &why), 0);
		}
		if (row->min > 0) {
			beyond(row, row->min - 1, text);
			assert_int_equal(value_parse(row, text, &s, &why), -22);
			assert_non_null(strstr(why.text, "out of range"));
		}
		beyond(row, row->min, text);
		assert_int_equal(value_parse(row, text, &s, &why), 0);
	}
}

static void each_row__of_the_wrong_type__is_refused(void **state)
{
	static const char *const wrong[] = { "grue", "-1", "1x", "1.2.3", "99999999999999999999",
					     "1 s",  "'",  "[" };

	(void)state;
	FOR_ROWS(row)
	{
		struct settings s, before;
		struct hf_error why;

		if (row->type == VALUE_TEXT || row->type == VALUE_SET)
			continue;
		config_defaults(&s);
		before = s;
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			memset(&why, 0, sizeof(why));
			assert_int_equal(value_parse(row, wrong[i], &s, &why), -22);
			assert_true(strlen(why.text) > 10);
		}
		assert_memory_equal(&s, &before, sizeof(s));
	}
}

static void each_row__with_a_control_character__is_refused(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		struct settings s;
		struct hf_error why;

		config_defaults(&s);
		assert_int_equal(value_parse(row, "a\nb", &s, &why), -22);
		assert_string_equal(why.text, "holds a control character, octet 2; leave it out");
	}
}

static void each_key__twice__names_its_line(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		const char *dot;
		char text[512];

		if (!row->key)
			continue;
		dot = strchr(row->key, '.');
		if (dot)
			snprintf(text, sizeof(text), "%.*s:\n  %s: \"%s\"\n  %s: \"%s\"\n",
				 (int)(dot - row->key), row->key, dot + 1, row->preset, dot + 1,
				 row->preset);
		else
			snprintf(text, sizeof(text), "\n%s: \"%s\"\n%s: \"%s\"\n", row->key,
				 row->preset, row->key, row->preset);
		refused(text, ":3: ");
		refused(text, "is given twice");
	}
}

static void each_key__misspelt__is_guessed(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		char assignment[128];
		struct settings s;
		struct hf_error why;

		if (!row->key || strlen(row->key) < 5)
			continue;
		config_defaults(&s);
		snprintf(assignment, sizeof(assignment), "%sx=1", row->key);
		assert_int_equal(config_set(&s, assignment, &why), -22);
		assert_non_null(strstr(why.text, row->key));
	}
}

static void bad_profiles__name_line_and_remedy(void **state)
{
	struct settings s;
	struct hf_error why;

	(void)state;
	refused("tcp:\n  tw_lenn: 3s\n", ":2: tcp.tw_lenn: no such key, did you mean tcp.tw_len");
	refused("tcp:\n  tw_len: 3h\n", ":2: tcp.tw_len: '3h' is out of range; 1s to 240s");
	refused("tcp:\n  tw_len: [3s]\n", ":2: tcp.tw_len: must be one value");
	refused("mtu: [1500]\n", ":1: mtu: must be one value");
	refused("addr:\n  - 10.99.0.2/24\n  - fd99::2/64\n",
		":1: addr: must be one value; separate by commas");
	refused("cores: [0, 1]\n", ":1: cores: must be one value; separate by commas");
	refused("mtu: 1500\ntcp: 3\n", ":2: tcp: is a section");
	refused("tcp:\n  sack: true\nrun:\n  app: rr\ntcp:\n  sack: true\n",
		":5: tcp: is given twice");
	refused("- a\n- b\n", ":1: is no profile");
	refused("mtu: [\n", ":2: ");
	refused("[a]: 3\n", ":1: a key must be a name");
	refused("mtu: \"15\\000\"\n", ":1: mtu: must be one value");
	refused("ttl: 3\n\"mtu\\0x\": 1500\n", ":2: a key must be a name");
	refused("\"tcp\\0x\":\n  sack: true\n", ":1: a key must be a name");
	refused("tcp:\n  \"sack\\0\": true\n", ":2: tcp: a key must be a name");
	assert_int_equal(read_text("", &s, &why), 0); /* nothing said, nothing wrong */
	assert_int_equal(profile_read("/nonexistent/pair.yaml", &s, &why), -22);
	assert_non_null(strstr(why.text, "/nonexistent/pair.yaml: No such file"));
}

/* What no packet on a wire may have is nobody's address; a capture of the loopback has it. */
static void loopback_and_mapped__are_refused__but_to_trace(void **state)
{
	static const char *const inside[] = { "127.0.0.1", "::1", "::ffff:10.99.0.2", "::ffff:a:b" };
	char *argv[] = { (char *)"trace", (char *)"--host", NULL, (char *)"a.pcap", NULL };
	struct settings s;
	struct hf_error why;
	char text[64];

	(void)state;
	config_defaults(&s);
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		const bool six = strchr(inside[i], ':') != NULL;

		snprintf(text, sizeof(text), "addr=%s/32", inside[i]);
		assert_int_equal(config_set(&s, text, &why), -22);
		assert_non_null(strstr(why.text, "is not unicast on a wire"));
		snprintf(text, sizeof(text), six ? "load.target=[%s]:80" : "load.target=%s:80",
			 inside[i]);
		assert_int_equal(config_set(&s, text, &why), -22);
		snprintf(text, sizeof(text), "pair.server%s=%s", six ? "6" : "", inside[i]);
		assert_int_equal(config_set(&s, text, &why), -22);
		argv[2] = (char *)(uintptr_t)inside[i];
		assert_int_equal(options_read(COMMAND_TRACE, 4, argv, &s, &why), 0);
	}
	assert_int_equal(config_set(&s, "addr=::2/128,::1:0:0:1/64,::fffe:0:1/64", &why), 0);
}

static void mac_addresses__of_hex_digits_alone__are_read(void **state)
{
	static const char *const wrong[] = {
		"02:-1:00:00:00:02",  "02:00:00:00:00",	   "02:00:00:00:00:02:03",
		"02: 1:00:00:00:02",  "02:0x:00:00:00:02", "02:001:00:00:00:02",
		"02:00:00:00:00:02 ", "00:00:00:00:00:00", "03:00:00:00:00:02",
		"02::00:00:00:02",    "+2:00:00:00:00:00", "02-00-00-00-00-02",
	};
	const struct row *row = config_find_key("mac");
	struct settings s;
	struct hf_error why;

	(void)state;
	config_defaults(&s);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(value_parse(row, wrong[i], &s, &why), -22);
		assert_non_null(strstr(why.text, "is no station's MAC address"));
	}
	assert_int_equal(value_parse(row, "02:0:aB:9:00:fe", &s, &why), 0);
	assert_memory_equal(s.mac, "\x02\x00\xab\x09\x00\xfe", 6);
	assert_int_equal(value_parse(row, "", &s, &why), 0);
	assert_memory_equal(s.mac, "\0\0\0\0\0\0", 6);
}

/* Blanks stand around commas, and nowhere else. */
static void lists__with_blanks__are_those_without(void **state)
{
	struct settings s, bare;
	struct hf_error why;

	(void)state;
	config_defaults(&s);
	config_defaults(&bare);
	assert_int_equal(config_set(&s, "addr=  10.99.0.2/24 ,  fd99::2/64  ", &why), 0);
	assert_int_equal(config_set(&bare, "addr=10.99.0.2/24,fd99::2/64", &why), 0);
	assert_memory_equal(&s, &bare, sizeof(s));
	assert_int_equal(config_set(&bare, "addr=   ", &why), 0);
	assert_int_equal(bare.addr.count, 0);
}

static void units__are_read__and_written(void **state)
{
	static const struct {
		const char *key, *text, *written;
		uint64_t value;
	} cases[] = {
		{ "run.duration", "1.5s", "1500ms", 1500000 },
		{ "run.duration", "2", "2s", 2000000 },
		{ "run.duration", "250us*", NULL, 0 },
		{ "run.duration", "1m", "60s", 60000000 },
		{ "run.duration", "auto", "auto", 0 },
		{ "run.duration", "2500us", "2500us", 2500 },
		{ "run.duration", "0.0000001s", NULL, 0 },
		{ "run.rate", "2M/s", "2000000/s", 2000000 },
		{ "run.rate", "1.5k", "1500/s", 1500 },
		{ "run.count", "4Mi", "4194304", 4194304 },
		{ "tcp.delack", "0.5ms", NULL, 0 },
		{ "run.count", "10k", "10000", 10000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct row *row = config_find_key(cases[i].key);
		struct settings s;
		struct hf_error why;
		char text[TEXT_ROOM];

		config_defaults(&s);
		assert_int_equal(value_parse(row, cases[i].text, &s, &why),
				 cases[i].written ? 0 : -22);
		if (!cases[i].written)
			continue;
		assert_int_equal(*(const uint64_t *)((const char *)&s + row->offset), cases[i].value);
		value_format(row, &s, text);
		assert_string_equal(text, cases[i].written);
	}
}

static void reads_back_as_printed(const struct settings *s)
{
	struct settings back;
	struct hf_error why;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	config_print(s, out);
	fclose(out);
	assert_int_equal(read_text(text, &back, &why), 0);
	assert_memory_equal(s, &back, sizeof(back));
	free(text);
}

static void printed_settings__read_back__the_same(void **state)
{
	struct settings s;
	struct hf_error why;

	(void)state;
	config_defaults(&s);
	assert_int_equal(config_set(&s, "tcp.tw_len=1500ms", &why), 0);
	assert_int_equal(config_set(&s, "tcp.snd_buf=100000", &why), 0);
	assert_int_equal(config_set(&s, "pair.client6=2001:2::fffe-2001:2::1:3", &why), 0);
	assert_int_equal(config_set(&s, "pair.client=198.18.0.200-198.18.2.7", &why), 0);
	assert_int_equal(config_set(&s, "pair.client_ports=5-5", &why), 0);
	assert_int_equal(config_set(&s, "run.rate=2M/s", &why), 0);
	assert_int_equal(config_set(&s, "pair.close=both", &why), 0);
	assert_int_equal(config_set(&s, "cores=0-1,3", &why), 0);
	assert_int_equal(
		config_set(&s, "dev=a\"\\n: #\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xc3\xa9 ", &why), 0);
	reads_back_as_printed(&s);
}

/* As many ranges as there may be, none of them shortened by its prefix. */
static void longest_list__by_repeated_options__is_that_by_commas(void **state)
{
	static const char range[] =
		"2001:db8:aaaa:bbbb:cccc:dddd:%ueee:1000-2001:db8:aaaa:bbbb:cccc:dddd:%ueee:1fff";
	char one[HF_MAX_RANGES][128],
		all[HF_MAX_RANGES * 128] = "", *argv[2 * HF_MAX_RANGES + 2] = { (char *)"load" };
	struct settings s, repeated;
	struct hf_error why;
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < HF_MAX_RANGES; i++) {
		snprintf(one[i], sizeof(one[i]), range, i + 1, i + 1);
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", i ? "," : "", one[i]);
		argv[1 + 2 * i] = (char *)"--from";
		argv[2 + 2 * i] = one[i];
	}
	config_defaults(&s);
	config_defaults(&repeated);
	assert_int_equal(value_parse(config_find_key("load.from"), all, &s, &why), 0);
	assert_int_equal(s.from.at[HF_MAX_RANGES - 1].range.count, 4096);
	assert_int_equal(options_read(COMMAND_LOAD, 2 * HF_MAX_RANGES + 1, argv, &repeated, &why), 0);
	assert_memory_equal(&s, &repeated, sizeof(s));
	reads_back_as_printed(&s);
}

static void list__longer_than_its_room__is_refused(void **state)
{
	char text[4 * TEXT_ROOM];
	char *argv[] = { (char *)"load",
			 (char *)"--gateway",
			 (char *)"10.99.0.1",
			 (char *)"--gateway",
			 text,
			 NULL };
	struct settings s;
	struct hf_error why;

	(void)state;
	config_defaults(&s);
	memset(text, ' ', sizeof(text)); /* blanks around an item are none of it */
	memcpy(text, "10.99.0.2/24,10.99.0.3/24", 25);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(value_parse(config_find_key("addr"), text, &s, &why), -22);
	assert_non_null(strstr(why.text, "is too long"));
	assert_int_equal(options_read(COMMAND_LOAD, 5, argv, &s, &why), -22);
	assert_non_null(strstr(why.text, "--gateway: "));
	assert_non_null(strstr(why.text, "is too long"));
	text[TEXT_ROOM] = '\0';
	assert_int_equal(value_parse(config_find_key("addr"), text, &s, &why), 0);
	assert_int_equal(s.addr.count, 2);
}

/* What is built in is what the installed profile says. */
static void pair_yaml__is__the_defaults(void **state)
{
	struct settings s, defaults;
	struct hf_error why;

	(void)state;
	config_defaults(&s);
	config_defaults(&defaults);
	assert_int_equal(profile_read(SOURCE_ROOT "/config/pair.yaml", &s, &why), 0);
	assert_memory_equal(&s, &defaults, sizeof(s));
	assert_int_equal(profile_read(SOURCE_ROOT "/config/pair-strict.yaml", &s, &why), 0);
	assert_int_equal(config_agree(&s, &why), 0);
}

/* REQUIREMENTS 24, where the library has its own idea of a default */
static void tcp_defaults__are__the_librarys(void **state)
{
	struct settings s, theirs;
	struct hf_config config;

	(void)state;
	config_defaults(&s);
	theirs = s;
	hf_config_defaults(&config);
	theirs.tcp = config.tcp;
	FOR_ROWS(row)
	{
		char ours[TEXT_ROOM], text[TEXT_ROOM];

		value_format(row, &s, ours);
		value_format(row, &theirs, text);
		assert_string_equal(ours, text);
	}
	assert_int_equal(s.mtu, config.mtu);
	assert_int_equal(s.ttl, config.ttl);
	assert_int_equal(s.accept_reserved, config.accept_reserved);
}

static void command_line__wins__over_the_profile(void **state)
{
	struct settings s;
	struct hf_error why;

	(void)state;
	assert_int_equal(options(&s, &why, "--count=7", "--set", "tcp.tw_len=9s", "-c",
				 SOURCE_ROOT "/config/pair-strict.yaml", "-q", NULL),
			 0);
	assert_int_equal(s.count, 7);
	assert_int_equal(s.tcp.tw_len_ms, 9000);
	assert_int_equal(s.tcp.tw_reuse, 0);
	assert_true(s.quiet);
	assert_int_equal(options(&s, &why, "--ipv6", "--port", "8080", NULL), 0);
	assert_true(s.ipv6);
	assert_int_equal(s.port, 8080);
}

static void bad_command_lines__say_what_is_wrong(void **state)
{
	static const struct {
		const char *a, *b, *says;
	} cases[] = {
		{ "--duratoin", "3s", "--duratoin: no such option, did you mean --duration" },
		{ "--duration", NULL, "--duration: a value must follow" },
		{ "-z", NULL, "-z: no such option" },
		{ "-c", NULL, "-c: a value must follow" },
		{ "stray", NULL, "'stray' is no option" },
		{ "--app=ftp", NULL, "--app: 'ftp' is none of none|rr" },
		{ "--print", NULL, "--print: no option of pair, but of config" },
		{ "--dev=tap:hf0", NULL, "--dev: no option of pair, but of load, serve and doctor" },
		{ "--start", "1", "--start: no option of pair, but of replay" },
		{ "--duratoin=3s", NULL, "--duratoin: no such option, did you mean --duration" },
		{ "--set", "tcp", "'tcp' is no KEY=VALUE" },
		{ "--set", "addr=10.99.0.2/24 garbage",
		  "addr: '10.99.0.2/24 garbage' holds a blank; separate by commas" },
		{ "--set", "serve.listen=10.99.0.2:80, 10.99.0.2:81 10.99.0.2:82",
		  "serve.listen: '10.99.0.2:81 10.99.0.2:82' holds a blank" },
		{ "--set", "load.from=10.99.0.3 - 10.99.0.9",
		  "load.from: '10.99.0.3 - 10.99.0.9' holds" },
		{ "--set", "tcp.retries1=20", "tcp.retries1 is more than tcp.retries2" },
		{ "--set", "tcp.rto_min=2s", "tcp.rto_min, tcp.rto_initial, tcp.rto_max" },
		{ "--set", "tcp.tw_reuse_unsafe=1",
		  "tcp.tw_reuse_unsafe is for tcp.timestamps: false" },
		{ "--set", "pair.ring=1000", "pair.ring must be a power of two" },
		{ "--path", "a", "http.path must begin with /" },
		{ "--path", "/a b", "http.path must begin with /" },
		{ "--path", "/a#b", "http.path must begin with /" },
		{ "--path", "/\xc3\xa9", "http.path must begin with /" },
		{ "--server", "198.18.0.64", "pair.server is one of pair.client" },
		{ "--server6", "2001:2::33", "pair.server6 is one of pair.client6" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings s;
		struct hf_error why;

		assert_int_equal(options(&s, &why, cases[i].a, cases[i].b, NULL), -22);
		if (!strstr(why.text, cases[i].says))
			fail_msg("'%s' does not say '%s'", why.text, cases[i].says);
	}
}

static void core_lists__are_counted(void **state)
{
	(void)state;
	assert_int_equal(cores_count(""), 0);
	assert_int_equal(cores_count("0"), 1);
	assert_int_equal(cores_count("0-1,3"), 3);
	assert_int_equal(cores_count("4-7,0"), 5);
	assert_int_equal(cores_count("3-1"), -22);
	assert_int_equal(cores_count("0,"), -22);
	assert_int_equal(cores_count("0-"), -22);
	assert_int_equal(cores_count("all"), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "HF-KN1", each_number__out_of_range__is_refused, NULL, NULL, NULL },
		cmocka_unit_test(each_row__of_the_wrong_type__is_refused),
		cmocka_unit_test(each_row__with_a_control_character__is_refused),
		cmocka_unit_test(each_key__twice__names_its_line),
		cmocka_unit_test(each_key__misspelt__is_guessed),
		cmocka_unit_test(bad_profiles__name_line_and_remedy),
		cmocka_unit_test(loopback_and_mapped__are_refused__but_to_trace),
		cmocka_unit_test(mac_addresses__of_hex_digits_alone__are_read),
		cmocka_unit_test(lists__with_blanks__are_those_without),
		cmocka_unit_test(units__are_read__and_written),
		cmocka_unit_test(printed_settings__read_back__the_same),
		cmocka_unit_test(longest_list__by_repeated_options__is_that_by_commas),
		cmocka_unit_test(list__longer_than_its_room__is_refused),
		cmocka_unit_test(pair_yaml__is__the_defaults),
		cmocka_unit_test(tcp_defaults__are__the_librarys),
		cmocka_unit_test(command_line__wins__over_the_profile),
		cmocka_unit_test(bad_command_lines__say_what_is_wrong),
		cmocka_unit_test(core_lists__are_counted),
	};
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
