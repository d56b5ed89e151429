# SPDX-License-Identifier: Apache-2.0
# Language level, warnings, sanitizers, ccache: one place for all targets.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR
    "GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles C++ coroutines (bodies skipped, temporaries destroyed twice). "
    "Use clang-19, as the presets do: cmake --preset release")
endif()

# A part of somebody else's project: the rest is theirs to choose.
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -gline-tables-only -DNDEBUG")
# Sanitized and debug builds: fast enough to run campaigns in, slow enough to step through.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()
find_program(LLD NAMES ld.lld-19 ld.lld)
if(LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wconversion -Wsign-conversion -Wimplicit-fallthrough -Werror)

set(WHERRY_SANITIZE "" CACHE STRING "Sanitizers, comma separated: address,undefined or thread")
if(WHERRY_SANITIZE)
  add_compile_options(-fsanitize=${WHERRY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WHERRY_SANITIZE})
endif()
# Tests are named for it: `make test` runs several builds in one ctest.
set(WHERRY_UNDER "")
if(WHERRY_SANITIZE MATCHES "address")
  set(WHERRY_UNDER "asan ")
elseif(WHERRY_SANITIZE MATCHES "thread")
  set(WHERRY_UNDER "tsan ")
endif()
