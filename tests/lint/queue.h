/* SPDX-License-Identifier: BSD-3-Clause */
/* What cppcheck, which reads no system headers, has to know of sys/queue.h. */
#define STAILQ_HEAD(name, type)     \
	struct name {               \
		struct type *first; \
	}
#define STAILQ_ENTRY(type)         \
	struct {                   \
		struct type *next; \
	}
#define LIST_HEAD(name, type) STAILQ_HEAD(name, type)
#define LIST_ENTRY(type) STAILQ_ENTRY(type)
#define LIST_FOREACH(at, head, field) for ((at) = (head)->first; (at); (at) = (at)->field.next)
