// A Host that refuses one request, for seeing what becomes of the others.

#pragma once

#include <cstddef>
#include <optional>

#include "plumbline/io/host.hpp"

namespace plumbline::test {

/// Whether the request changes anything.
[[nodiscard]] inline bool is_change(const wire::Request& request) {
  return !std::holds_alternative<wire::NetlinkDump>(request) &&
         !std::holds_alternative<wire::GenericDump>(request) &&
         !std::holds_alternative<wire::SysctlRead>(request) &&
         !std::holds_alternative<wire::FirewallDump>(request) &&
         !std::holds_alternative<wire::FirewallRivals>(request) &&
         !std::holds_alternative<wire::NetfilterQuery>(request);
}

/// Passes everything on to `host`, and counts; the change numbered `fail_at`, from 0, is answered
/// with `error` and not passed on.
class FailingHost final : public io::Host {
 public:
  explicit FailingHost(io::Host& host, std::optional<std::size_t> fail_at = {}, int error = 5)
      : host_(&host), fail_at_(fail_at), error_(error) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) override {
    std::vector<wire::Reply> replies;
    std::vector<wire::Request> passed;
    const auto flush = [&] {
      for (wire::Reply& reply : host_->exchange(passed)) replies.push_back(std::move(reply));
      passed.clear();
    };
    for (const wire::Request& request : requests) {
      if (is_change(request) && changes_++ == fail_at_) {
        flush();
        replies.push_back({error_, "made to fail by the test", {}, {}});
      } else {
        passed.push_back(request);
      }
    }
    flush();
    return replies;
  }

  /// Changes asked for so far, the refused one included.
  [[nodiscard]] std::size_t changes() const { return changes_; }

 private:
  io::Host* host_;
  std::optional<std::size_t> fail_at_;
  int error_;
  std::size_t changes_ = 0;
};

}  // namespace plumbline::test
