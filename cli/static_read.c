// SPDX-License-Identifier: Apache-2.0
/* What an ELF file says of itself, by libelf: segments, functions, what the loader fills and calls.
 */
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/static_elf.h"
#include "cli/static_frames.h"

enum { PACKED = 19 }; /* SHT_RELR, which elf.h of 2022 lacks */

struct reader {
	struct elf_file *f;
	struct err *err;
	size_t max_functions, max_exports, max_slots, max_starters;
};

static int no_memory(struct reader *r)
{
	return err_set(r->err, -ENOMEM, "read '%s'", r->f->path);
}

static int too_much(struct reader *r, const char *what)
{
	return err_set(r->err, -EFBIG, "read '%s': it has too many %s", r->f->path, what);
}

/* Room for one more, up to limit. NULL: there is none, and *n tells which way. */
static void *room(void *array, size_t *max, size_t n, size_t size, size_t limit)
{
	if (n < *max)
		return array;
	if (n >= limit)
		return NULL;
	*max = *max ? *max * 2 : 1024;
	return reallocarray(array, *max, size);
}

static int add_function(struct reader *r, uint64_t start, uint64_t size, const char *name)
{
	struct elf_file *f = r->f;
	void *grown;

	if (!elf_is_code(f, start) || elf_is_plt(f, start))
		return 0;
	grown = room(f->functions, &r->max_functions, f->n_functions, sizeof(*f->functions),
		     ELF_MAX_FUNCTIONS);
	if (!grown)
		return f->n_functions >= ELF_MAX_FUNCTIONS ? too_much(r, "functions")
							   : no_memory(r);
	f->functions = grown;
	f->functions[f->n_functions++] = (struct elf_function){
		.start = start,
		.end = start + size < start ? start : start + size,
		.name = name,
	};
	return 0;
}

static int add_starter(struct reader *r, uint64_t address)
{
	struct elf_file *f = r->f;
	void *grown;

	if (!elf_is_code(f, address))
		return 0;
	grown = room(f->starters, &r->max_starters, f->n_starters, sizeof(*f->starters),
		     ELF_MAX_FUNCTIONS);
	if (!grown)
		return no_memory(r);
	f->starters = grown;
	f->starters[f->n_starters++] = address;
	return 0;
}

static int add_slot(struct reader *r, struct elf_slot slot)
{
	struct elf_file *f = r->f;
	void *grown = room(f->slots, &r->max_slots, f->n_slots, sizeof(*f->slots), ELF_MAX_SLOTS);

	if (!grown)
		return f->n_slots >= ELF_MAX_SLOTS ? too_much(r, "relocations") : no_memory(r);
	f->slots = grown;
	f->slots[f->n_slots++] = slot;
	return 0;
}

static int read_segments(struct reader *r)
{
	struct elf_file *f = r->f;
	size_t n = 0;

	if (elf_getphdrnum(f->elf, &n) < 0 || n == 0)
		return err_refuse(r->err, "read '%s': it has no segments", f->path);
	for (size_t i = 0; i < n && i < 65536; i++) {
		GElf_Phdr p;

		if (!gelf_getphdr(f->elf, (int)i, &p) || p.p_type != PT_LOAD || p.p_filesz == 0)
			continue;
		if (p.p_offset > f->len || p.p_filesz > f->len - p.p_offset ||
		    p.p_vaddr + p.p_filesz < p.p_vaddr)
			return err_refuse(r->err, "read '%s': a segment lies outside of it",
					  f->path);
		if (f->n_segments == ELF_MAX_SEGMENTS)
			return too_much(r, "segments");
		f->segments[f->n_segments++] = (struct elf_segment){
			.start = p.p_vaddr,
			.size = p.p_filesz,
			.offset = p.p_offset,
			.executable = p.p_flags & PF_X,
			.writable = p.p_flags & PF_W,
		};
	}
	return 0;
}

/* A text of the file's own, which ends within it. */
static const char *text_at(struct elf_file *f, size_t section, size_t offset)
{
	return elf_strptr(f->elf, section, offset);
}

static int add_symbol(struct reader *r, const GElf_Sym *s, const char *name, bool dynamic)
{
	struct elf_file *f = r->f;
	const unsigned type = GELF_ST_TYPE(s->st_info), bind = GELF_ST_BIND(s->st_info);
	void *grown;
	int code;

	if (s->st_shndx == SHN_UNDEF || s->st_value == 0 || !name ||
	    (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE))
		return 0;
	/* names of labels in the middle of code are no functions, unless somebody may call them */
	if (type == STT_NOTYPE && !(dynamic && bind != STB_LOCAL))
		return 0;
	code = add_function(r, s->st_value, s->st_size, name);
	if (code < 0 || !dynamic || bind == STB_LOCAL || !elf_is_code(f, s->st_value))
		return code;
	grown = room(f->exports, &r->max_exports, f->n_exports, sizeof(*f->exports),
		     ELF_MAX_FUNCTIONS);
	if (!grown)
		return no_memory(r);
	f->exports = grown;
	f->exports[f->n_exports++] =
		(struct elf_function){ .start = s->st_value, .name = name, .exported = true };
	return 0;
}

static int read_symbols(struct reader *r, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	const size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	int code = 0;

	for (size_t i = 0; i < n && i < INT32_MAX && code == 0; i++) {
		GElf_Sym s;

		if (gelf_getsym(data, (int)i, &s))
			code = add_symbol(r, &s, text_at(r->f, sh->sh_link, s.st_name),
					  sh->sh_type == SHT_DYNSYM);
	}
	return code;
}

/* The symbol table that a relocation section names, or none. */
struct symbols {
	Elf_Data *data;
	size_t strings;
};

static struct symbols symbols_of(struct elf_file *f, const GElf_Shdr *sh)
{
	Elf_Scn *scn = elf_getscn(f->elf, sh->sh_link);
	GElf_Shdr table;

	if (!scn || !gelf_getshdr(scn, &table) || table.sh_type != SHT_DYNSYM)
		return (struct symbols){ .data = NULL };
	return (struct symbols){ elf_getdata(scn, NULL), table.sh_link };
}

static int add_relocation(struct reader *r, const struct symbols *symbols, const GElf_Rela *rel)
{
	struct elf_file *f = r->f;
	struct elf_slot slot = { .place = rel->r_offset };
	GElf_Sym s;

	switch (GELF_R_TYPE(rel->r_info)) {
	case R_X86_64_IRELATIVE:
	case R_X86_64_RELATIVE:
		slot.target = (uint64_t)rel->r_addend;
		return elf_is_code(f, slot.target) ? add_slot(r, slot) : 0;
	case R_X86_64_JUMP_SLOT:
	case R_X86_64_GLOB_DAT:
		slot.code = true;
		break;
	case R_X86_64_64:
		break;
	default:
		return 0;
	}
	if (!symbols->data || !gelf_getsym(symbols->data, (int)GELF_R_SYM(rel->r_info), &s))
		return 0;
	slot.symbol = text_at(f, symbols->strings, s.st_name);
	/* where no other file can come between, which is where it is defined itself and hidden */
	if (s.st_shndx != SHN_UNDEF && elf_is_code(f, s.st_value) &&
	    (!slot.symbol || !slot.symbol[0] || GELF_ST_BIND(s.st_info) == STB_LOCAL))
		slot = (struct elf_slot){ .place = slot.place,
					  .target = s.st_value,
					  .code = slot.code };
	return slot.symbol || slot.target ? add_slot(r, slot) : 0;
}

static int read_relocations(struct reader *r, Elf_Scn *scn, const GElf_Shdr *sh)
{
	const struct symbols symbols = symbols_of(r->f, sh);
	Elf_Data *data = elf_getdata(scn, NULL);
	const size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	int code = 0;

	for (size_t i = 0; i < n && i < INT32_MAX && code == 0; i++) {
		GElf_Rela rel;

		if (gelf_getrela(data, (int)i, &rel))
			code = add_relocation(r, &symbols, &rel);
	}
	return code;
}

/* A pointer that is moved with the file, and stands where it is moved. */
static int add_pointer(struct reader *r, uint64_t place)
{
	struct elf_slot slot = { .place = place };
	size_t len;
	const uint8_t *p = elf_at(r->f, place, &len);

	if (!p || len < sizeof(slot.target))
		return 0;
	memcpy(&slot.target, p, sizeof(slot.target));
	return elf_is_code(r->f, slot.target) ? add_slot(r, slot) : 0;
}

/* RELR: an address, then bits for the 63 words behind it, then behind those ... */
static int read_packed(struct reader *r, const GElf_Shdr *sh)
{
	uint64_t next = 0;
	int code = 0;

	for (uint64_t i = 0; i < sh->sh_size / 8 && code == 0; i++) {
		size_t len;
		const uint8_t *p = elf_at(r->f, sh->sh_addr + i * 8, &len);
		uint64_t word;

		if (!p || len < sizeof(word))
			break;
		memcpy(&word, p, sizeof(word));
		if (!(word & 1)) {
			code = add_pointer(r, word);
			next = word + 8;
			continue;
		}
		for (unsigned bit = 1; bit < 64 && code == 0; bit++) {
			if (word >> bit & 1)
				code = add_pointer(r, next + (uint64_t)(bit - 1) * 8);
		}
		next += 63 * sizeof(uint64_t);
	}
	return code;
}

static int read_dynamic(struct reader *r, Elf_Scn *scn, const GElf_Shdr *sh)
{
	struct elf_file *f = r->f;
	Elf_Data *data = elf_getdata(scn, NULL);
	const size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	int code = 0;

	for (size_t i = 0; i < n && i < 65536 && code == 0; i++) {
		const char *text;
		GElf_Dyn d;

		if (!gelf_getdyn(data, (int)i, &d) || d.d_tag == DT_NULL)
			break;
		text = text_at(f, sh->sh_link, (size_t)d.d_un.d_val);
		if (d.d_tag == DT_NEEDED && text && f->n_needed < ELF_MAX_NEEDED)
			f->needed[f->n_needed++] = text;
		else if (d.d_tag == DT_NEEDED)
			return too_much(r, "needed libraries");
		else if (d.d_tag == DT_RPATH)
			f->rpath = text;
		else if (d.d_tag == DT_RUNPATH)
			f->runpath = text;
		else if (d.d_tag == DT_INIT || d.d_tag == DT_FINI)
			code = add_starter(r, d.d_un.d_ptr);
	}
	return code;
}

/* Arrays of functions that are called at the start and the end: filled by relocations, or fixed. */
static int read_starters(struct reader *r, const GElf_Shdr *sh)
{
	int code = 0;

	for (uint64_t at = sh->sh_addr; at - sh->sh_addr + 8 <= sh->sh_size && code == 0; at += 8) {
		size_t len;
		const uint8_t *p = elf_at(r->f, at, &len);
		uint64_t value = 0;

		if (!p || len < sizeof(value))
			break;
		memcpy(&value, p, sizeof(value));
		code = add_starter(r, value);
	}
	return code;
}

static bool is_plt_name(const char *name)
{
	return name && (strcmp(name, ".plt") == 0 || strcmp(name, ".plt.sec") == 0 ||
			strcmp(name, ".plt.got") == 0 || strcmp(name, ".iplt") == 0);
}

static int add_frame(void *ctx, uint64_t start)
{
	struct reader *r = ctx;

	r->f->has_frames = true;
	return add_function(r, start, 0, NULL);
}

static int read_section(struct reader *r, Elf_Scn *scn, const GElf_Shdr *sh, bool first)
{
	struct elf_file *f = r->f;
	size_t names = 0;
	const char *name =
		elf_getshdrstrndx(f->elf, &names) == 0 ? text_at(f, names, sh->sh_name) : NULL;

	if (first) {
		if (is_plt_name(name) && f->n_plt < sizeof(f->plt) / sizeof(f->plt[0]))
			f->plt[f->n_plt++] =
				(struct elf_segment){ .start = sh->sh_addr, .size = sh->sh_size };
		return 0;
	}
	/* of type PROGBITS or of the processor's own */
	if (name && strcmp(name, ".eh_frame") == 0)
		return frames_read(f, sh->sh_addr, sh->sh_size, add_frame, r);
	switch (sh->sh_type) {
	case SHT_SYMTAB:
		f->has_symbols = true;
		return read_symbols(r, scn, sh);
	case SHT_DYNSYM:
		return read_symbols(r, scn, sh);
	case SHT_RELA:
		return sh->sh_flags & SHF_ALLOC ? read_relocations(r, scn, sh) : 0;
	case PACKED:
		return read_packed(r, sh);
	case SHT_DYNAMIC:
		return read_dynamic(r, scn, sh);
	case SHT_INIT_ARRAY:
	case SHT_FINI_ARRAY:
	case SHT_PREINIT_ARRAY:
		return read_starters(r, sh);
	case SHT_PROGBITS:
		if (name && strcmp(name, ".interp") == 0) {
			size_t len;
			const char *text = (const char *)elf_at(f, sh->sh_addr, &len);

			if (text && memchr(text, '\0', len))
				f->interpreter = text;
		}
		return 0;
	default:
		return 0;
	}
}

static int read_sections(struct reader *r)
{
	int code = 0;

	/* stubs first: what lies in them is no function */
	for (int first = 1; first >= 0 && code == 0; first--) {
		Elf_Scn *scn = NULL;

		while (code == 0 && (scn = elf_nextscn(r->f->elf, scn))) {
			GElf_Shdr sh;

			if (gelf_getshdr(scn, &sh))
				code = read_section(r, scn, &sh, first);
		}
	}
	return code;
}

int elf_read(struct elf_file *f, struct err *err)
{
	struct reader reader = { .f = f, .err = err }, *r = &reader;
	GElf_Ehdr eh;
	int code;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return err_set(err, -ENOSYS, "use libelf");
	f->elf = elf_memory(f->bytes, f->len);
	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF || !gelf_getehdr(f->elf, &eh) ||
	    eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB || (eh.e_type != ET_EXEC && eh.e_type != ET_DYN))
		return err_set(err, -ENOEXEC, "read '%s' as a program or library for x86_64",
			       f->path);
	f->fixed = eh.e_type == ET_EXEC;
	f->entry = eh.e_entry;
	code = read_segments(r);
	if (code == 0)
		code = read_sections(r);
	if (code == 0 && f->entry)
		code = add_function(r, f->entry, 0, "_start");
	for (size_t i = 0; i < f->n_starters && code == 0; i++)
		code = add_function(r, f->starters[i], 0, NULL);
	if (code == 0 && f->n_functions == 0) {
		code = err_refuse(err, "find the functions of '%s'", f->path);
		(void)err_hint(err, "it has neither symbols nor unwind tables, or no section "
				    "headers");
	}
	if (code == 0)
		elf_settle(f);
	return code < 0 && code != -ENOMEM && err->code == 0 ? -EINVAL : code;
}
