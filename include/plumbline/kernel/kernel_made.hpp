// What there is because the kernel made it, and not somebody.

#pragma once

#include <map>
#include <vector>

#include "plumbline/state/state.hpp"

namespace plumbline::kernel {

/// What the kernel makes and unmakes by itself: it comes back, or is meant to go. What others say
/// is the kernel's (a protocol is any program's to set) counts as theirs where the kernel would not
/// have made it, and so does what has a lifetime: a DHCP client renews it.
class KernelMade {
 public:
  /// `want`: what is going to be there may have the kernel make something.
  explicit KernelMade(const State& have, const State& want = {});

  bool operator()(const Resource& resource) const;
  bool operator()(const Address& address) const;
  bool operator()(const Route& route) const;
  template <class K>
  bool operator()(const K&) const {
    return false;
  }

 private:
  [[nodiscard]] bool follows_from_address(const Route& route) const;

  std::map<IfName, std::vector<Address>> addresses_;
  bool tells_ = false;  ///< Linux 5.18: it says of its addresses that they are its own
};

}  // namespace plumbline::kernel
