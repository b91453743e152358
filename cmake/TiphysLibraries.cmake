# The libraries we stand on, all from Debian's packages; docs/decisions/002-libraries.md says why each.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(fmt REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(ZLIB REQUIRED)
find_package(GTest REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)

# The allocator of programs: it stays level over long runs that allocate on two threads. Linked in statically; without it,
# and under sanitizers, the C library's serves.
find_library(TIPHYS_JEMALLOC NAMES libjemalloc_pic.a)
add_library(tiphys_allocator INTERFACE)
if(TIPHYS_JEMALLOC AND NOT TIPHYS_SANITIZE)
  add_library(jemalloc STATIC IMPORTED)
  set_target_properties(jemalloc PROPERTIES IMPORTED_LOCATION ${TIPHYS_JEMALLOC})
  target_link_libraries(tiphys_allocator INTERFACE jemalloc Threads::Threads)
endif()
