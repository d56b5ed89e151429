# SPDX-License-Identifier: Apache-2.0
# What find_package(wherry COMPONENTS csp) reads in an installation: it gives wherry::csp. Without
# COMPONENTS it gives all that are installed; one that is not is said to be missing, by name.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  set(wherry_FOUND FALSE)
  set(wherry_NOT_FOUND_MESSAGE
    "GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles C++ coroutines (bodies skipped, temporaries destroyed twice): use clang-19 or later, as by -DCMAKE_CXX_COMPILER=clang++-19, or GCC 13 or later")
  return()
endif()

include(CMakeFindDependencyMacro)
find_dependency(Threads)

file(GLOB wherry_installed RELATIVE "${CMAKE_CURRENT_LIST_DIR}" "${CMAKE_CURRENT_LIST_DIR}/wherry-*.cmake")
list(FILTER wherry_installed EXCLUDE REGEX "^wherry-[^-]*-")  # wherry-csp-release.cmake: a part of it
list(TRANSFORM wherry_installed REPLACE "^wherry-(.*)[.]cmake$" "\\1")
if(NOT wherry_FIND_COMPONENTS)
  set(wherry_FIND_COMPONENTS ${wherry_installed})
endif()

foreach(component IN LISTS wherry_FIND_COMPONENTS)
  if(component IN_LIST wherry_installed)
    include("${CMAKE_CURRENT_LIST_DIR}/wherry-${component}.cmake")
    set(wherry_${component}_FOUND TRUE)
  else()
    set(wherry_${component}_FOUND FALSE)
    if(wherry_FIND_REQUIRED_${component})
      set(wherry_FOUND FALSE)
      string(APPEND wherry_NOT_FOUND_MESSAGE
        "The component '${component}' of wherry is not installed in ${CMAKE_CURRENT_LIST_DIR}; installed: ${wherry_installed}. ")
    endif()
  endif()
endforeach()
