// SPDX-License-Identifier: Apache-2.0
#pragma once
// What both sinks need: where an object goes, and errors of the layers below as a sink's. Internal
// to app/sink.

#include "sink/sink.hpp"
#include "spec/template.hpp"

namespace wherry::app {

/// A damaged file goes back; what is in the spool's way may pass.
[[nodiscard]] sink_error from_spool(const spool_error& wrong);

/// A client whose values do not fit `sink.url`.
[[nodiscard]] sink_error from_template(const template_error& wrong);

/// Where an object goes. Errors: permanent, the client does not fit.
[[nodiscard]] std::expected<std::string, sink_error> object_url(const sink& spec,
                                                                const object_to_put& what);

/// Whether a later import gives an object another name: by its bytes, or by its spec.
[[nodiscard]] bool has_names_of_versions(const sink& spec);

/// Other bytes are there, and `sink.overwrite` keeps them.
[[nodiscard]] sink_error kept_as_it_is(const std::string& object);

}  // namespace wherry::app
