// Guests and networks that come, go and change their names, at random and on the real kernel: what
// the others were assigned never changes, nothing is given twice, and no plan is left to do.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <stdlib.h>

#include <map>
#include <set>

#include "tests/support/world.hpp"

namespace plumbline::test {
namespace {

/// The seed is fixed so that a red run is the fault of the change; RC_PARAMS takes another.
constexpr const char* walks = "max_success=3 seed=20261129";
constexpr int steps_of_a_walk = 14;

using Guests = std::vector<std::string>;

/// What a spec says: by bridge, where its subnet is and who is in it, in order.
struct Wanted {
  struct Member {
    int subnet = 0;
    Guests guests;
  };
  std::map<std::string, Member> networks;

  [[nodiscard]] std::string text() const {
    std::vector<std::string> entries;
    for (const auto& [bridge, member] : networks) {
      std::string vms;
      for (const std::string& guest : member.guests) {
        if (!vms.empty()) vms += ", ";
        vms += "\"" + guest + R"(": {"interfaces": {"eth0": {}, "eth1": {}}})";
      }
      entries.push_back("\"" + bridge + R"(": {"subnet": "10.70.)" + std::to_string(member.subnet) +
                        R"(.0/27", "vms": {)" + vms + "}}");
    }
    return spec_of_networks(entries);
  }
};

/// Names of which many begin alike, so that TAPs and MACs made of them meet.
rc::Gen<std::string> guest_names() {
  return rc::gen::element<std::string>("web-1", "web1", "web-11", "w-eb1", "web-12", "webX", "db",
                                       "db-1", "AaAa", "BBBB", "AaBB", "BBAa");
}

rc::Gen<std::string> bridge_names() { return rc::gen::element<std::string>("br0", "br1", "br2"); }

void change_name_of_a_network(Wanted& wanted, const std::string& bridge) {
  const std::string other = *bridge_names();
  auto node = wanted.networks.extract(bridge);
  if (!wanted.networks.contains(other)) node.key() = other;
  wanted.networks.insert(std::move(node));
}

/// Somewhere in the order, as order decides nothing for those who have something.
void come(Guests& guests, const std::string& guest) {
  if (std::ranges::find(guests, guest) != guests.end()) return;
  const auto place = *rc::gen::inRange<std::size_t>(0, guests.size() + 1);
  guests.insert(guests.begin() + static_cast<std::ptrdiff_t>(place), guest);
}

void change(Wanted& wanted) {
  const std::string bridge = *bridge_names();
  const auto found = wanted.networks.find(bridge);
  if (found == wanted.networks.end()) {
    const int subnet = *rc::gen::inRange(0, 250);
    for (const auto& [name, member] : wanted.networks) {
      if (member.subnet == subnet) return;
    }
    wanted.networks[bridge] = {subnet, {*guest_names()}};
    return;
  }
  Guests& guests = found->second.guests;
  const std::string guest = *guest_names();
  switch (*rc::gen::weightedElement<int>({{6, 0}, {4, 1}, {2, 2}, {1, 3}, {1, 4}})) {
    case 0:
      return come(guests, guest);
    case 1:
      if (!guests.empty()) guests.erase(guests.begin());
      return;
    case 2:  // another name for the last one
      if (!guests.empty()) guests.pop_back();
      return come(guests, guest);
    case 3:
      wanted.networks.erase(found);
      return;
    default:
      return change_name_of_a_network(wanted, bridge);
  }
}

using Key = std::array<std::string, 3>;
using Value = std::array<std::string, 3>;

class AssignmentWalk : public World {
 protected:
  /// By network, guest and interface: address, MAC and TAP.
  std::map<Key, Value> apply(const Wanted& wanted) {
    std::map<Key, Value> assigned;
    std::set<std::string> once;
    site().options.allow_empty = true;
    const engine::Prepared prepared = site().apply(wanted.text());
    for (const auto& network : prepared.desired.assigned) {
      for (const auto& interface : network.interfaces) {
        const Value value{format(interface.ip), format(interface.mac), format(interface.tap)};
        for (const std::string& part : value) RC_ASSERT(once.insert(part).second);
        assigned[{format(network.network.bridge), interface.vm, interface.interface}] = value;
      }
    }
    return assigned;
  }
  void walk() {
    Wanted wanted;
    std::map<Key, Value> before;
    for (int step = 0; step < steps_of_a_walk; ++step) {
      change(wanted);
      if (*rc::gen::inRange(0, 4) == 0) restart();
      const std::map<Key, Value> after = apply(wanted);
      for (const auto& [key, value] : before) {
        const auto found = after.find(key);
        if (found == after.end()) continue;
        RC_ASSERT(found->second == value);
        ++kept_;
      }
      before = after;
      RC_ASSERT(!HasFailure());
    }
    remove_all();
  }

  int kept_ = 0;
};

TEST_F(AssignmentWalk, LeavesTheOthersAloneAndGivesNothingTwice) {
  setenv("RC_PARAMS", walks, 0);
  EXPECT_TRUE(rc::check("what others have stays", [&] { walk(); }));
  EXPECT_GT(kept_, 50) << "as many looks at who stayed";
}

}  // namespace
}  // namespace plumbline::test
