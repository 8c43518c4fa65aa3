// Which interface has which index, at one moment.
//
// Values hold names only; the kernel's messages hold indexes. One table, taken from one dump,
// translates both ways, so that a rename or a reused index cannot mix two interfaces up.
// Alternative names are deliberately absent: they resolve in if_nametoindex(3) and would let one
// interface be taken for another.

#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "plumbline/base/if_name.hpp"

namespace plumbline {

class LinkNames {
 public:
  /// The last one given wins, for the name and for the index.
  void add(std::uint32_t index, const IfName& name);
  void remove(const IfName& name);

  [[nodiscard]] std::optional<IfName> name(std::uint32_t index) const;
  /// 0, which no interface has, when there is none of that name.
  [[nodiscard]] std::uint32_t index(const IfName& name) const;

 private:
  std::map<std::uint32_t, IfName> names_;
  std::map<IfName, std::uint32_t> indexes_;
};

}  // namespace plumbline
