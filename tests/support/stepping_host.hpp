// A Host that lets a test have a word before each change, so that what is between two of them can
// be seen, or be the last there is.

#pragma once

#include <functional>

#include "tests/support/failing_host.hpp"

namespace plumbline::test {

/// What a killed process does from then on: nothing. Thrown by the test, caught by it.
struct Killed {};

class SteppingHost final : public io::Host {
 public:
  /// `before` gets the number of the change, from 0.
  SteppingHost(io::Host& host, std::function<void(std::size_t)> before)
      : host_(&host), before_(std::move(before)) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) override {
    std::vector<wire::Reply> replies;
    for (const wire::Request& request : requests) {
      if (is_change(request)) before_(changes_++);
      for (wire::Reply& reply : host_->exchange({&request, 1})) replies.push_back(std::move(reply));
    }
    return replies;
  }

  [[nodiscard]] std::size_t changes() const { return changes_; }

 private:
  io::Host* host_;
  std::function<void(std::size_t)> before_;
  std::size_t changes_ = 0;
};

}  // namespace plumbline::test
