// What the kernel will make by itself when a plan is carried out: the routes of an address, and the
// addresses of the loopback. What a spec asks for of the same identity could not be made then.
//
// Only what is not there yet: what is there is observed like everything else.

#pragma once

#include <map>

#include "plumbline/state/state.hpp"

namespace plumbline::kernel {

/// The identities of routes that the kernel makes for addresses that come, or whose link is set up;
/// with the address.
[[nodiscard]] std::map<Route::Key, Address> routes_to_come(const State& have, const State& want,
                                                           const Mark& mark);

/// Whether setting the loopback up makes this address.
[[nodiscard]] bool comes_with_loopback(const State& have, const State& want,
                                       const Address& address);

}  // namespace plumbline::kernel
