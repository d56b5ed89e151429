# SPDX-License-Identifier: Apache-2.0
# Finds DuckDB's C API and gives the target DuckDB::duckdb. An installed DuckDB is preferred; without
# one it is what `make setup` brings by npm into build/deps: libduckdb.so from the package of the
# node bindings (its rpath makes the program run from the build tree), duckdb.h from package duckdb.
#
# To use your own: -DCMAKE_PREFIX_PATH=<prefix>, or -DDuckDB_INCLUDE_DIR=... -DDuckDB_LIBRARY=...
set(DuckDB_npm "${CMAKE_SOURCE_DIR}/build/deps/node_modules")
find_path(DuckDB_INCLUDE_DIR duckdb.h)
find_library(DuckDB_LIBRARY duckdb)
if(NOT DuckDB_INCLUDE_DIR OR NOT DuckDB_LIBRARY)
  # Both from one place: a header of one version with the library of another crashes at run time.
  unset(DuckDB_INCLUDE_DIR CACHE)
  unset(DuckDB_LIBRARY CACHE)
  find_path(DuckDB_INCLUDE_DIR duckdb.h
    PATHS "${DuckDB_npm}/duckdb/src/duckdb/src/include" NO_DEFAULT_PATH)
  find_library(DuckDB_LIBRARY duckdb
    PATHS "${DuckDB_npm}/@duckdb/node-bindings-linux-x64" NO_DEFAULT_PATH)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB
  REQUIRED_VARS DuckDB_LIBRARY DuckDB_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "DuckDB is neither installed nor in build/deps. To get it run: make setup")
mark_as_advanced(DuckDB_INCLUDE_DIR DuckDB_LIBRARY)

if(DuckDB_FOUND AND NOT TARGET DuckDB::duckdb)
  # The header lies among all of DuckDB's own (a folder with more headers than one): only duckdb.h
  # is offered, by a folder of its own.
  set(DuckDB_offered "${CMAKE_BINARY_DIR}/duckdb-include")
  configure_file("${DuckDB_INCLUDE_DIR}/duckdb.h" "${DuckDB_offered}/duckdb.h" COPYONLY)
  add_library(DuckDB::duckdb SHARED IMPORTED GLOBAL)
  set_target_properties(DuckDB::duckdb PROPERTIES
    IMPORTED_LOCATION "${DuckDB_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${DuckDB_offered}")
endif()
