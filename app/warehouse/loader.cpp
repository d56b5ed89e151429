// SPDX-License-Identifier: Apache-2.0
#include "warehouse/loader.hpp"

#include <utility>

#include "warehouse/batch_load.hpp"

namespace wherry::app {
namespace {

task<std::vector<load_outcome>> run_batch(std::unique_ptr<batch_load> batch) {
  co_return co_await batch->run();
}

class loader final : public report_loader {
 public:
  loader(const spec& whole, http_client& client, aws_credentials& keys, spool& files)
      : bucket_(whole.sink, client, keys, files),
        parts_{target_of(whole), whole.sink, files, bucket_},
        queue_({.batch = static_cast<std::size_t>(parts_.target.warehouse.batch),
                .linger = parts_.target.warehouse.linger},
               [this](std::vector<load_item> batch) {
                 return run_batch(std::make_unique<batch_load>(parts_, std::move(batch)));
               }) {}

  task<load_outcome> load(load_item item) override { return queue_.load(std::move(item)); }

 private:
  bucket bucket_;
  load_parts parts_;
  load_queue queue_;
};

}  // namespace

std::unique_ptr<report_loader> make_loader(const spec& whole, http_client& client,
                                           aws_credentials& keys, spool& files) {
  return std::make_unique<loader>(whole, client, keys, files);
}

}  // namespace wherry::app
