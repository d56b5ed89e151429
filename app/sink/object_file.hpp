// SPDX-License-Identifier: Apache-2.0
#pragma once
// One object as a file: written beside its place, fsynced, renamed into it. Blocks. Internal to
// app/sink.
//
// 1. The temporary name follows from the object's: what a crash left is taken over by the next try.
// 2. Whoever writes there holds a flock on the file until it is renamed, so that of two writers (a
//    step that ran out of time is still at it) the second steps back and nothing is mixed.

#include <expected>
#include <filesystem>

#include "sink/sink.hpp"
#include "spool/spool.hpp"

namespace wherry::app {

/// Makes `target` hold the bytes of a spool file, durably; makes missing directories. A target that
/// holds them already stays untouched. Errors: all but throttled.
[[nodiscard]] std::expected<void, sink_error> store_as_file(const spool& from,
                                                            const spool_file& file,
                                                            const std::filesystem::path& target);

}  // namespace wherry::app
