// Whose an object is: the one place that decides it.
//
// An object is ours by its mark in the kernel. What cannot carry one (sysctls, policies, settings
// of physical links) is known by the ledger's Memory.

#pragma once

#include <map>
#include <vector>

#include "plumbline/plan/plan.hpp"

namespace plumbline {

/// Whether an observed object is ours. `wanted`: the spec names it, which makes an empty chain of
/// that name ours.
template <class K>
[[nodiscard]] bool is_ours(const K& have, const Mark& mark, [[maybe_unused]] bool wanted) {
  if constexpr (std::is_same_v<K, Chain>) {
    return is_marked(have, mark) || (wanted && have.rules.empty());
  } else {
    return is_marked(have, mark);
  }
}

/// Whether a foreign object says what the spec wants in every field that the spec manages.
template <class K>
[[nodiscard]] bool is_equal(const K& foreign, const K& want, const Mark& mark) {
  const K marked = with_mark(foreign, mark);
  return complete(want, marked) == marked;
}

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

}  // namespace plumbline
