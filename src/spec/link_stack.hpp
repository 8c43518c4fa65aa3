// Links that stand on others: a bridge on its ports, a VXLAN on its device.
//
// Finds what the kernel would refuse only when the last of them is made: a link that stands on
// itself, more on one another than it takes, and more ports than a bridge has. Of links that are
// not in the spec it knows the names.

#pragma once

#include <map>
#include <vector>

#include "plumbline/kinds/link.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::spec {

/// BR_MAX_PORTS in net/bridge/br_private.h, less the number that no port has.
inline constexpr std::size_t most_bridge_ports = 1023;
/// MAX_NEST_DEV in include/linux/netdevice.h
inline constexpr std::size_t most_links_in_a_stack = 8;

class LinkStack {
 public:
  /// In the order of the spec; `entry` is that of the link.
  void add(const wire::Entry& entry, const Link& link);
  /// The faults of all that were added.
  void check();

 private:
  struct Above {
    IfName name;
    wire::Entry place;  ///< what says so
  };
  struct Level {
    std::size_t height = 0;  ///< of what stands on it, itself included; 0: not known yet
    bool open = false;       ///< on the way that is walked
  };

  void count_port(const wire::Entry& place, const IfName& bridge);
  void pile(const IfName& below, const Above& above);
  void walk(const IfName& from);

  std::map<IfName, std::vector<Above>> above_;
  std::map<IfName, std::size_t> ports_;
  std::map<IfName, Level> levels_;
};

}  // namespace plumbline::spec
