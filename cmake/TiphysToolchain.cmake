# Language level, warnings, sanitizers, linker, compiler cache: everything that holds for all targets.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 17)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LINK_LIBRARIES_ONLY_TARGETS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(TIPHYS_SANITIZE "" CACHE STRING "Sanitizers to build with, as clang's -fsanitize takes them")
option(TIPHYS_FUZZ "Build the libFuzzer targets" OFF)
set(TIPHYS_FUZZ_SECONDS 1 CACHE STRING "How long the driver of a fuzz corpus goes on with mutations")
option(TIPHYS_UNIT_TESTS "Build the unit tests and the drivers of fuzz corpora" ON)

find_program(TIPHYS_CCACHE ccache)
if(TIPHYS_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${TIPHYS_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

find_program(TIPHYS_MOLD mold)
if(TIPHYS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -D_GLIBCXX_ASSERTIONS")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g -D_GLIBCXX_ASSERTIONS")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")

set(TIPHYS_WARNINGS
    -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Wimplicit-fallthrough -Wextra-semi
    -Wno-missing-designated-field-initializers)

if(TIPHYS_SANITIZE)
  add_compile_options(-fsanitize=${TIPHYS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TIPHYS_SANITIZE})
endif()
if(TIPHYS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
