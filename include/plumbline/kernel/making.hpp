// Whether a wanted object that is not there can be made at all, told from what is there and what is
// wanted beside it.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "plumbline/state/state.hpp"

namespace plumbline::kernel {

class Making {
 public:
  enum class Way : std::uint8_t {
    make,
    wait,      ///< nobody but others can make it
    comes,     ///< the kernel makes it by itself
    needless,  ///< that it is not there is as good
    refuse,
  };
  struct Answer {
    Way way = Way::make;
    /// Of `wait`: for what. Of `comes` and `refuse`: the rest of a sentence about it.
    std::string words = {};
  };

  Making(const State& have, const State& want, const Mark& mark);

  template <class K>
  [[nodiscard]] Answer of(const K& /*want*/) const {
    return {};
  }
  [[nodiscard]] Answer of(const Link& want) const;
  [[nodiscard]] Answer of(const Address& want) const;
  [[nodiscard]] Answer of(const Route& want) const;
  [[nodiscard]] Answer of(const Sysctl& want) const;

 private:
  const State& have_;
  const State& want_;
  /// Made by the kernel itself, with the address that they are for.
  std::map<Route::Key, Address> routes_;
  std::map<std::string_view, const Link*> altnames_;
};

}  // namespace plumbline::kernel
