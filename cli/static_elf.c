// SPDX-License-Identifier: Apache-2.0
#include "cli/static_elf.h"

#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"

/* --- addresses --- */

static const struct elf_segment *segment_at(const struct elf_file *f, uint64_t address)
{
	for (size_t i = 0; i < f->n_segments; i++) {
		const struct elf_segment *s = &f->segments[i];

		if (address >= s->start && address - s->start < s->size)
			return s;
	}
	return NULL;
}

const uint8_t *elf_at(const struct elf_file *f, uint64_t address, size_t *ret_len)
{
	const struct elf_segment *s = segment_at(f, address);

	if (!s)
		return NULL;
	*ret_len = (size_t)(s->size - (address - s->start));
	return (const uint8_t *)f->bytes + s->offset + (address - s->start);
}

bool elf_is_code(const struct elf_file *f, uint64_t address)
{
	const struct elf_segment *s = segment_at(f, address);

	return s && s->executable;
}

bool elf_is_plt(const struct elf_file *f, uint64_t address)
{
	for (size_t i = 0; i < f->n_plt; i++) {
		if (address >= f->plt[i].start && address - f->plt[i].start < f->plt[i].size)
			return true;
	}
	return false;
}

size_t elf_function_at(const struct elf_file *f, uint64_t address)
{
	size_t low = 0, high = f->n_functions;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (f->functions[mid].end <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->n_functions && f->functions[low].start <= address ? low : SIZE_MAX;
}

const struct elf_slot *elf_slot_at(const struct elf_file *f, uint64_t place)
{
	size_t low = 0, high = f->n_slots;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (f->slots[mid].place < place)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->n_slots && f->slots[low].place == place ? &f->slots[low] : NULL;
}

size_t elf_export(const struct elf_file *f, const char *name)
{
	size_t low = 0, high = f->n_exports;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (strcmp(f->exports[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* --- order --- */

static int compare_functions(const void *a, const void *b)
{
	const struct elf_function *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	/* the one with a name, and of those the global one's, which was read last, does not matter
	 */
	return (y->name != NULL) - (x->name != NULL);
}

static int compare_names(const void *a, const void *b)
{
	const struct elf_function *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int compare_slots(const void *a, const void *b)
{
	const struct elf_slot *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

/* One a place, and each up to the next: code behind a function's end is its, for want of another.
 */
void elf_settle(struct elf_file *f)
{
	size_t n = 0;

	if (f->n_functions > 0)
		qsort(f->functions, f->n_functions, sizeof(*f->functions), compare_functions);
	for (size_t i = 0; i < f->n_functions; i++) {
		if (n == 0 || f->functions[n - 1].start != f->functions[i].start)
			f->functions[n++] = f->functions[i];
	}
	f->n_functions = n;
	for (size_t i = 0; i < n; i++) {
		const struct elf_segment *s = segment_at(f, f->functions[i].start);
		uint64_t end = s ? s->start + s->size : f->functions[i].start;

		if (i + 1 < n && f->functions[i + 1].start < end)
			end = f->functions[i + 1].start;
		for (size_t k = 0; k < f->n_plt; k++) {
			if (f->plt[k].start > f->functions[i].start && f->plt[k].start < end)
				end = f->plt[k].start;
		}
		f->functions[i].end = end;
	}
	if (f->n_exports > 0)
		qsort(f->exports, f->n_exports, sizeof(*f->exports), compare_names);
	if (f->n_slots > 0)
		qsort(f->slots, f->n_slots, sizeof(*f->slots), compare_slots);
}

int elf_discover(struct elf_file *f, const uint64_t *starts, size_t n)
{
	struct elf_function *grown =
		reallocarray(f->functions, f->n_functions + n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	f->functions = grown;
	for (size_t i = 0; i < n; i++) {
		if (elf_is_code(f, starts[i]) && !elf_is_plt(f, starts[i]))
			grown[f->n_functions++] = (struct elf_function){ .start = starts[i] };
	}
	elf_settle(f);
	return 0;
}

/* --- files --- */

int elf_parse(const char *path, char *bytes, size_t len, struct elf_file **ret, struct err *err)
{
	struct elf_file *f = calloc(1, sizeof(*f));
	int code;

	if (!f) {
		free(bytes);
		return err_set(err, -ENOMEM, "read '%s'", path);
	}
	f->bytes = bytes;
	f->len = len;
	f->path = strdup(path);
	code = f->path ? elf_read(f, err) : err_set(err, -ENOMEM, "read '%s'", path);
	if (code < 0) {
		elf_free(f);
		return code;
	}
	*ret = f;
	return 0;
}

int elf_open(const char *path, struct elf_file **ret, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct elf_file *f = NULL;
	char *bytes = NULL;
	struct stat st;
	size_t len = 0;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : fd_read_all(fd, ELF_MAX_FILE, &bytes, &len);

	if (r < 0)
		return err_set(err, r, "read '%s'", path);
	r = elf_parse(path, bytes, len, &f, err);
	if (r < 0 || !f)
		return r;
	f->device = st.st_dev;
	f->inode = st.st_ino;
	*ret = f;
	return 0;
}

void elf_free(struct elf_file *f)
{
	if (!f)
		return;
	if (f->elf)
		(void)elf_end(f->elf);
	free(f->path), free(f->bytes), free(f->functions), free(f->exports);
	free(f->slots), free(f->starters);
	free(f);
}
