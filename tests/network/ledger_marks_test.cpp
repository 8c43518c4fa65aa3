// Rows of the ledger on marks that somebody takes away from a guest's TAP while the guest runs on
// it.

#include "tests/network/ledger.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* two_guests = R"({"version": 1, "networks": {"br0": {"subnet": "10.30.0.0/24",
    "firewall": {"host": {"defaultAction": "deny"}}, "vms": {"web": {}, "other": {}}}}})";

class LedgerMarks : public Ledger {
 protected:
  static const spec::AssignedInterface& web(const engine::Prepared& prepared) {
    const auto& interfaces = prepared.desired.assigned.front().interfaces;
    return *std::ranges::find(interfaces, "web", &spec::AssignedInterface::vm);
  }
  static std::unique_ptr<Station> guest_on(const std::string& tap,
                                           const spec::AssignedInterface& assigned) {
    auto station =
        std::make_unique<Station>(open_tap(tap), Manner{.mac = assigned.mac, .ip = assigned.ip});
    station->use_gateway(bridge_mac_of());
    station->learn_gateway(gateway_ip);
    return station;
  }
  /// Its own packets leave, those with another's address do not.
  void expect_its_guard(const Station& guest) {
    internet().settle();
    internet().forget();
    Packet forged = guest.udp(remote_ip, denied_port);
    forged.from = "10.30.0.77"_ip;
    Stream stream(guest, {guest.udp(remote_ip, allowed_port), forged});
    stream.run_for(200);
    stream.stop();
    EXPECT_GE(stream.per_second(), 1000);
    internet().settle();
    EXPECT_GT(internet().count({.from = uplink_ip, .to_port = allowed_port}), 0U);
    EXPECT_EQ(internet().count({.to_port = denied_port}), 0U);
  }
};

TEST_F(LedgerMarks, N8_ATapThatLosesItsMarksKeepsItsGuestAndItsGuard) {
  const spec::AssignedInterface before = web(site().apply(two_guests));
  const std::string tap = format(before.tap);
  const auto station = guest_on(tap, before);
  for (const std::string& loss :
       {std::string(" alias customer-7"), std::string(" alias ''"), std::string(" group default"),
        std::string(" alias customer-7 group default"), std::string(" alias '' group 7"),
        std::string(" address 02:00:00:00:55:55"), std::string(" arp on")}) {
    std::string command = "link set dev " + tap + loss;
    if (const auto empty = command.find("''"); empty != command.npos) {
      must_run({"ip", "link", "set", "dev", tap, "alias", ""});
      command.erase(empty - 7, 9);
    }
    if (command.find_last_not_of(' ') + 1 > ("link set dev " + tap).size()) ip(command);
    expect_its_guard(*station);
    const engine::Prepared prepared = site().apply(two_guests);
    EXPECT_EQ(web(prepared).tap, before.tap) << loss;
    EXPECT_EQ(web(prepared).ip, before.ip) << loss;
    EXPECT_LE(prepared.plan.steps.size(), 1U) << loss << shown(prepared);
    for (const Step& step : prepared.plan.steps) EXPECT_TRUE(step.before && step.after) << loss;
    EXPECT_THAT(ip("link show dev " + tap),
                ::testing::AllOf(HasSubstr("master br0"), HasSubstr("plumbline:1;br0/web/eth0,"),
                                 HasSubstr("group 1347177811"), HasSubstr("NOARP")))
        << loss;
    expect_its_guard(*station);
  }
}

TEST_F(LedgerMarks, N8_ARenamedTapStaysItsGuests) {
  const spec::AssignedInterface before = web(site().apply(two_guests));
  ip("link set " + format(before.tap) + " down");
  ip("link set " + format(before.tap) + " name renamed");
  ip("link set renamed up");
  const spec::AssignedInterface after = web(site().apply(two_guests));
  EXPECT_EQ(format(after.tap), "renamed");
  EXPECT_EQ(after.ip, before.ip);
  const auto station = guest_on("renamed", after);
  expect_its_guard(*station);
}

/// No TAP is left behind to which there are no guards any more.
TEST_F(LedgerMarks, N8_ATapThatLostItsMarksGoesWithItsNetwork) {
  for (const std::string loss : {" alias customer-7", " alias customer-7 group default"}) {
    const std::string tap = format(web(site().apply(two_guests)).tap);
    ip("link set dev " + tap + loss);
    remove_all();
    EXPECT_THAT(ip("link show"), Not(HasSubstr(tap))) << loss;
  }
}

}  // namespace
}  // namespace plumbline::test
