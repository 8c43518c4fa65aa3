// A model of one network namespace of Linux, in memory: messages as the bytes of rtnetlink and
// nf_tables in, what the kernel would answer out.
//
// Knows no kind of object of plumbline's and no plan, has no clock and asks nobody anything: equal
// requests give equal answers. What takes time in Linux is over at once or does not happen
// (addresses.hpp). Held to the truth by tests/truth/truth_test.cpp; docs/testing.md says what is
// not modelled.

#pragma once

#include <functional>
#include <string>

#include "plumbline/wire/request.hpp"
#include "tests/sim/namespace.hpp"

namespace plumbline::sim {

class Kernel {
 public:
  /// With `lo`, which is down. `new_mac` gives a link that is given no MAC one; without it they are
  /// counted.
  explicit Kernel(std::function<Mac(const std::string& link)> new_mac = {});

  /// One message of rtnetlink that changes something.
  [[nodiscard]] wire::Reply change(const wire::Bytes& message);
  /// One dump of rtnetlink; its messages in `bytes`.
  [[nodiscard]] wire::Reply dump(const wire::Bytes& message) const;
  [[nodiscard]] wire::Reply change(const wire::TapChange& change);
  [[nodiscard]] wire::Reply read(const wire::SysctlRead& request) const;
  [[nodiscard]] wire::Reply write(const wire::SysctlWrite& request);

  /// What there is, to be looked at and to be made otherwise.
  [[nodiscard]] Namespace& there() { return there_; }
  [[nodiscard]] const Namespace& there() const { return there_; }

 private:
  Namespace there_;
};

}  // namespace plumbline::sim
