// SPDX-License-Identifier: Apache-2.0
#pragma once
// file_sink: objects as files. A reader sees the old file, the new file or none; and what `put`
// said is stored survives power loss.

#include "sink/object_file.hpp"
#include "sink/sink.hpp"

namespace wherry::app {

class file_sink final : public object_sink {
 public:
  file_sink(const sink& spec, spool& from) : spec_(spec), spool_(from) {}

  /// Runs on a thread that may block. A cancelled put may still make the object.
  task<std::expected<stored_object, sink_error>> put(object_to_put what) override;
  task<std::expected<void, sink_error>> remove(client of, day on, object_role role) override;

 private:
  const sink& spec_;
  spool& spool_;
  durable_directories durable_;
};

}  // namespace wherry::app
