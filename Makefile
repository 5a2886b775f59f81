# quality_gov: build, install, test.
#
# `make demo` and `make check` need nothing but a Debian machine; every other target needs the
# server's headers, which `make deps` installs.  PG_CONFIG= selects another server.

EXTENSION = quality_gov
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" quality_gov.control)
PG_CONFIG ?= pg_config

# The order is the architecture: a domain may use only earlier ones.
DOMAINS = common ident ledger merchant credit trace passport listing live service dispute inspect \
	loop report

C_FILES = src/quality_gov.c $(foreach d,$(DOMAINS),$(sort $(wildcard src/$(d)/*.c)))
H_FILES = src/quality_gov.h $(foreach d,$(DOMAINS),$(sort $(wildcard src/$(d)/*.h)))
# In each domain <domain>.sql comes first, its other fragments follow in name order.
FRAGMENTS = src/header.sql $(foreach d,$(DOMAINS),$(wildcard src/$(d)/$(d).sql) \
	$(filter-out src/$(d)/$(d).sql,$(sort $(wildcard src/$(d)/*.sql)))) src/footer.sql

MODULE_big = $(EXTENSION)
OBJS = $(C_FILES:.c=.o)
# The outside signer, and the verifier that it runs.
SCRIPTS = src/ledger/quality_gov_ledger_sign test/verify/ledger_verify.py
DATA_built = $(EXTENSION)--$(EXTVERSION).sql
EXTRA_CLEAN = $(EXTENSION)--*.sql
# The bitcode that Debian's PGXS would build serves inlining only; nothing here gains from it.
override with_llvm = no

# Targets that must work before the headers are there do not read PGXS.
BARE_GOALS = deps check demo format
ifneq ($(filter-out $(BARE_GOALS),$(or $(MAKECMDGOALS),all)),)
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(and $(wildcard $(PGXS)),$(wildcard $(shell $(PG_CONFIG) --includedir-server)/postgres.h)),)
$(error quality_gov needs the PostgreSQL server headers (PGXS), $(PG_CONFIG) has none: run "make deps")
endif
PG_MAJOR := $(shell $(PG_CONFIG) --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
ifneq ($(shell test $(PG_MAJOR) -ge 15 && echo ok),ok)
$(error quality_gov needs PostgreSQL 15 or later, $(PG_CONFIG) is of version $(PG_MAJOR))
endif
ifneq ($(shell pkg-config --exists icu-uc icu-i18n && echo ok),ok)
$(error quality_gov needs the ICU development files (icu-uc, icu-i18n): run "make deps")
endif
ifneq ($(shell pkg-config --exists libcrypto && echo ok),ok)
$(error quality_gov needs the libcrypto development files (OpenSSL 3): run "make deps")
endif
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server) \
	$(shell pkg-config --cflags icu-uc icu-i18n libcrypto) -DQG_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-declaration-after-statement \
	$(COPT_TEST)
SHLIB_LINK = $(shell pkg-config --libs icu-uc icu-i18n libcrypto)
include $(PGXS)

$(OBJS): $(H_FILES) quality_gov.control

$(EXTENSION)--$(EXTVERSION).sql: $(FRAGMENTS) quality_gov.control Makefile
	cat $(FRAGMENTS) > $@

else

deps:
	@PG_CONFIG="$(PG_CONFIG)" test/deps

demo:
	@PG_CONFIG="$(PG_CONFIG)" MAKE="$(MAKE)" test/run demo

check:
	@PG_CONFIG="$(PG_CONFIG)" MAKE="$(MAKE)" test/run check

format:
	clang-format -i $(C_FILES) $(H_FILES)
endif

.PHONY: deps demo check installcheck bench lint format

installcheck:
	@PG_CONFIG="$(PG_CONFIG)" test/run installcheck

bench:
	@PG_CONFIG="$(PG_CONFIG)" MAKE="$(MAKE)" test/run bench

lint: all
	@DOMAINS="$(DOMAINS)" test/lint
