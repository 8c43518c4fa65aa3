// Rows of the ledger on addresses, MACs and TAPs of guests: they stay, are never given twice, and
// are free again when their guest is gone.

#include <set>

#include "plumbline/spec/assignments.hpp"
#include "tests/network/ledger.hpp"
#include "tests/spec/loaded.hpp"

namespace plumbline::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LedgerAssignments : public Ledger {
 protected:
  /// Guests without anything given.
  static std::string spec_of(const std::vector<std::string>& guests) {
    std::string vms;
    for (const std::string& guest : guests) vms += (vms.empty() ? "\"" : ", \"") + guest + "\": {}";
    return spec_of_networks({R"("br0": {"subnet": "10.30.0.0/24", "vms": {)" + vms + "}}"});
  }
  /// `name ip tap` of each, in the order of the spec.
  std::vector<std::string> apply_guests(const std::vector<std::string>& guests) {
    std::vector<std::string> lines;
    const engine::Prepared prepared = site().apply(spec_of(guests));
    for (const auto& network : prepared.desired.assigned) {
      for (const auto& interface : network.interfaces) {
        lines.push_back(interface.vm + " " + format(interface.ip));
        EXPECT_THAT(ip("link show dev " + format(interface.tap)), HasSubstr("master br0"));
      }
    }
    return lines;
  }
};

TEST_F(LedgerAssignments, W27_AddressesStayAfterARestart) {
  EXPECT_THAT(apply_guests({"x", "y", "z"}),
              ElementsAre("x 10.30.0.2", "y 10.30.0.3", "z 10.30.0.4"));
  restart();
  EXPECT_THAT(apply_guests({"w", "z", "y"}),
              ElementsAre("w 10.30.0.2", "z 10.30.0.4", "y 10.30.0.3"))
      << "that of x is free";
  restart();
  const std::string tap = format(spec::tap_name("z", "eth0"));
  ip("link del " + tap);
  EXPECT_THAT(apply_guests({"y", "v", "z"}),
              ElementsAre("y 10.30.0.3", "v 10.30.0.2", "z 10.30.0.4"))
      << "without its TAP the copy knows";
}

TEST_F(LedgerAssignments, W41_AddressesAreFreeAgain) {
  static_cast<void>(apply_guests({"x", "y"}));
  static_cast<void>(apply_guests({"y"}));
  EXPECT_THAT(apply_guests({"y", "n"}), ElementsAre("y 10.30.0.3", "n 10.30.0.2"));
  const auto four = [this](const std::string& first) {
    return site().apply(
        spec_of_networks({R"("br0": {"subnet": "10.30.0.0/30", "vms": {")" + first + "\": {}}}"}));
  };
  for (const char* const guest : {"p", "q", "r"}) {
    EXPECT_EQ(format(four(guest).desired.assigned.front().interfaces.front().ip), "10.30.0.2")
        << "the only one there is, for " << guest;
  }
}

TEST_F(LedgerAssignments, W44_TheKernelIsToldWhichInterfaceItIs) {
  const engine::Prepared prepared =
      site().apply(spec_of_networks({R"("br0": {"subnet": "10.30.0.0/24", "vms": {
          "x": {"interfaces": {"lan": {}, "wan": {}, "odd": {"guestInterface": "ens5"}}}}})"}));
  std::vector<std::string> told;
  for (const auto& interface : prepared.desired.assigned.front().interfaces) {
    told.push_back(boot_args(spec::assignment_of(prepared.desired.assigned.front(), interface)));
  }
  EXPECT_THAT(told, ElementsAre("ip=10.30.0.2::10.30.0.1:255.255.255.0::eth0:off",
                                "ip=10.30.0.3::10.30.0.1:255.255.255.0::eth1:off",
                                "ip=10.30.0.4::10.30.0.1:255.255.255.0::ens5:off"));
}

/// The interfaces of 10 000 pairs: VMs `vm-0` to `vm-999` of ten interfaces each.
const std::vector<spec::AssignedInterface>& ten_thousand() {
  static const std::vector<spec::AssignedInterface> all = [] {
    std::string networks;
    for (int network = 0; network < 10; ++network) {
      std::string vms;
      for (int vm = network * 100; vm < network * 100 + 100; ++vm) {
        std::string interfaces;
        for (int i = 0; i < 10; ++i) {
          interfaces += (i == 0 ? "\"eth" : ", \"eth") + std::to_string(i) + "\": {}";
        }
        vms += (vm % 100 == 0 ? "\"vm-" : ", \"vm-") + std::to_string(vm) +
               "\": {\"interfaces\": {" + interfaces + "}}";
      }
      networks += (network == 0 ? "\"br" : ", \"br") + std::to_string(network) +
                  R"(": {"subnet": "10.)" + std::to_string(network) + R"(.0.0/16", "vms": {)" +
                  vms + "}}";
    }
    const spec::Loaded loaded = spec::load_members("\"networks\": {" + networks + "}");
    EXPECT_THAT(loaded.errors, IsEmpty());
    Diagnostics diagnostics;
    std::vector<spec::AssignedInterface> interfaces;
    for (const auto& network : spec::assign(loaded.spec, {}, diagnostics)) {
      interfaces.insert(interfaces.end(), network.interfaces.begin(), network.interfaces.end());
    }
    return interfaces;
  }();
  return all;
}

/// How many have the first choice, which is the reference's.
template <class Part, class First>
void expect_distinct(Part part, First first_choice) {
  using Value = decltype(part(ten_thousand().front()));
  std::set<Value> seen;
  std::set<Value> wanted;
  std::size_t first = 0;
  for (const spec::AssignedInterface& interface : ten_thousand()) {
    EXPECT_TRUE(seen.insert(part(interface)).second) << interface.vm << " " << interface.interface;
    wanted.insert(first_choice(interface.vm, interface.interface));
    if (part(interface) == first_choice(interface.vm, interface.interface)) ++first;
  }
  EXPECT_EQ(seen.size(), 10000U);
  EXPECT_EQ(first, wanted.size()) << "everybody that can has the reference's";
}

TEST(LedgerTenThousand, W39_GuestsHaveTapsOfDifferentNames) {
  expect_distinct([](const auto& i) { return i.tap; },
                  [](const auto& vm, const auto& id) { return spec::tap_name(vm, id); });
}

TEST(LedgerTenThousand, W40_GuestsHaveDifferentMacs) {
  expect_distinct([](const auto& i) { return i.mac; },
                  [](const auto& vm, const auto& id) { return spec::guest_mac(vm, id); });
}

}  // namespace
}  // namespace plumbline::test
