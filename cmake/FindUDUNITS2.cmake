# SPDX-License-Identifier: Apache-2.0
# Finds UDUNITS-2 and gives the target UDUNITS2::udunits2. Debian ships no CMake or pkg-config file.
find_path(UDUNITS2_INCLUDE_DIR udunits2.h PATH_SUFFIXES udunits2)
find_library(UDUNITS2_LIBRARY udunits2)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(UDUNITS2
  REQUIRED_VARS UDUNITS2_LIBRARY UDUNITS2_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "UDUNITS-2 is not installed (Debian: libudunits2-dev). To get it run: make setup")
mark_as_advanced(UDUNITS2_INCLUDE_DIR UDUNITS2_LIBRARY)

if(UDUNITS2_FOUND AND NOT TARGET UDUNITS2::udunits2)
  add_library(UDUNITS2::udunits2 UNKNOWN IMPORTED GLOBAL)
  set_target_properties(UDUNITS2::udunits2 PROPERTIES
    IMPORTED_LOCATION "${UDUNITS2_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${UDUNITS2_INCLUDE_DIR}")
endif()
