// Somebody else's objects made ours on the real kernel, as they are: nothing but the mark changes,
// nothing else is touched, and a failure in the middle leaves all as it was. The witness is ip(8).

#include "src/engine/adopt.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <regex>
#include <thread>

#include "plumbline/io/namespace.hpp"
#include "plumbline/wire/netlink.hpp"
#include "tests/support/dump.hpp"
#include "tests/support/failing_host.hpp"
#include "tests/support/flood.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A dump without what tells whose things are.
std::string unmarked(const std::string& dump) {
  const std::string without_alias =
      std::regex_replace(dump, std::regex(R"(\\ +alias plumbline:1;[^;\n]*;(?=\n| ))"), "");
  const std::string with_alias =
      std::regex_replace(without_alias, std::regex("plumbline:1;[^;\n]*;"), "");
  return std::regex_replace(with_alias, std::regex(R"( proto (?!kernel)\S+)"), "");
}

class AdoptTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    must_run({"sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"});
    ip("link add br0 type bridge");
    ip("link set br0 up");
    ip("address add 10.1.0.1/24 dev br0");
    site_.emplace();
  }
  void TearDown() override {
    site_.reset();
    NetnsTest::TearDown();
  }

  engine::Prepared prepare(const std::vector<std::string>& keys) {
    return engine::prepare_adoption(site_->context(), keys);
  }
  engine::Outcome carry_out(const engine::Prepared& prepared, io::Host* host = nullptr) {
    return engine::adopt(site_->context(host), prepared);
  }
  engine::Prepared adopt(const std::vector<std::string>& keys) {
    engine::Prepared prepared = prepare(keys);
    for (const Diagnostic& error : prepared.errors) ADD_FAILURE() << format(error);
    for (const Diagnostic& refusal : prepared.plan.refusals) ADD_FAILURE() << format(refusal);
    const engine::Outcome outcome = carry_out(prepared);
    EXPECT_EQ(outcome.result, engine::Result::applied);
    EXPECT_THAT(outcome.unsettled, IsEmpty());
    for (const auto& step : outcome.report.steps) EXPECT_EQ(step.message, "");
    return prepared;
  }

  std::optional<Site> site_;
};

/// One of each kind, as a script would have made it.
void make_one_of_each() {
  ip("tuntap add dev tap0 mode tap");
  must_run({"ip", "link", "set", "tap0", "master", "br0", "alias", "guest; of mine"});
  ip("-6 address add fd00:1::1/64 dev br0 noprefixroute");
  ip("route add 10.9.0.0/16 via 10.1.0.9 metric 100 mtu 1400");
  ip("-6 route add fd00:9::/48 via fd00:1::9 dev br0 onlink");
  ip("rule add priority 1000 from 10.1.0.0/24 table 100");
  ip("-6 rule add priority 1000 iif br0 table 100");
}

const std::vector<std::string> one_of_each = {
    "link br0",
    "link tap0",
    "address br0 10.1.0.1/24",
    "address br0 fd00:1::1",
    "route inet main 10.9.0.0/16 metric 100",
    "route inet6 main fd00:9::/48",
    "rule inet 1000 from 10.1.0.0/24 table 100",
    "rule inet6 1000 iif br0 table 100",
};

TEST_F(AdoptTest, MarksEveryKindAndChangesNothingElse) {
  make_one_of_each();
  const std::string before = dump_namespace();
  const engine::Prepared prepared = adopt(one_of_each);
  EXPECT_EQ(prepared.plan.steps.size(), one_of_each.size());
  EXPECT_THAT(ip("link show dev tap0"), HasSubstr("alias plumbline:1;;guest; of mine"));
  EXPECT_THAT(ip("-6 address show dev br0"), HasSubstr("noprefixroute"));
  EXPECT_THAT(ip("route show 10.9.0.0/16"),
              HasSubstr("via 10.1.0.9 dev br0 proto 112 metric 100 "));
  EXPECT_THAT(ip("-6 route show fd00:9::/48"), HasSubstr("proto 112 "));
  EXPECT_EQ(ip("rule show priority 1000"), "1000:\tfrom 10.1.0.0/24 lookup 100 proto 112\n");
  EXPECT_EQ(ip("-6 rule show priority 1000"), "1000:\tfrom all iif br0 lookup 100 proto 112\n");
  EXPECT_THAT(difference(unmarked(before), unmarked(dump_namespace())),
              AnyOf("", "the same lines in another order\n"));
}

TEST_F(AdoptTest, HasNothingToDoWithWhatIsOurs) {
  make_one_of_each();
  adopt(one_of_each);
  const engine::Prepared again = prepare(one_of_each);
  EXPECT_THAT(again.errors, IsEmpty());
  EXPECT_THAT(again.plan.refusals, IsEmpty());
  EXPECT_THAT(again.plan.steps, IsEmpty());
}

TEST_F(AdoptTest, UndoesEverythingWhereverAStepFails) {
  make_one_of_each();
  const std::string before = dump_namespace();
  std::size_t position = 0;
  for (;; ++position) {
    FailingHost host(site_->host(), position, EPERM);
    const engine::Prepared prepared = prepare(one_of_each);
    const engine::Outcome outcome = carry_out(prepared, &host);
    if (outcome.result == engine::Result::applied) break;
    ASSERT_EQ(outcome.result, engine::Result::rolled_back)
        << position << ::testing::PrintToString(outcome.report.left_behind);
    // A rule is put back behind others of its priority, of which there is none here.
    ASSERT_EQ(difference(before, dump_namespace()), "") << "at " << position;
  }
  EXPECT_GE(position, one_of_each.size());
}

TEST_F(AdoptTest, TakesBothEndsOfAPair) {
  ip("link add v0 type veth peer name v1");
  adopt({"link v1"});
  EXPECT_THAT(ip("link show dev v0"), HasSubstr("alias plumbline:1;;"));
  EXPECT_THAT(ip("link show dev v1"), HasSubstr("alias plumbline:1;;"));
}

TEST_F(AdoptTest, TakesTheEndThatIsHere) {
  const io::NetworkNamespace far = io::NetworkNamespace::make_scratch();
  ip("link add near0 type veth peer name far0 netns /proc/" + std::to_string(getpid()) + "/fd/" +
     std::to_string(far.get()));
  adopt({"link near0"});
  EXPECT_THAT(ip("link show dev near0"), HasSubstr("alias plumbline:1;;"));
}

TEST_F(AdoptTest, RefusesWhatIsTheKernelsOrMoreThanASpecSays) {
  bring_up_loopback();
  ip("address add 10.5.0.1/24 dev br0 valid_lft 600 preferred_lft 600");
  ip("address add 10.6.0.1/32 peer 10.6.0.2 dev br0");
  ip("route add 10.7.0.0/16 dev br0 window 1000");
  ip("tuntap add dev tun0 mode tun");
  const std::string before = dump_namespace();
  for (const char* key :
       {"link lo", "link tun0", "address lo 127.0.0.1/8", "address br0 10.5.0.1/24",
        "address br0 10.6.0.1 peer 10.6.0.2/32", "route inet main 10.1.0.0/24",
        "route inet local 10.1.0.1/32", "route inet main 10.7.0.0/16", "rule inet 0 table local",
        "rule inet 32766 table main", "rule inet6 0 table local"}) {
    const engine::Prepared prepared = prepare({key});
    ASSERT_THAT(prepared.errors, IsEmpty()) << prepared.errors.front().message;
    ASSERT_EQ(prepared.plan.refusals.size(), 1U) << key;
    EXPECT_EQ(prepared.plan.refusals.front().code, Code::not_adoptable);
    EXPECT_THAT(prepared.plan.refusals.front().message, HasSubstr("cannot be adopted: "));
    EXPECT_EQ(carry_out(prepared).result, engine::Result::refused);
  }
  // It is there still, and some seconds older.
  ip("address change 10.5.0.1/24 dev br0 valid_lft 600 preferred_lft 600");
  EXPECT_EQ(difference(before, dump_namespace()), "");
}

TEST_F(AdoptTest, NamesWhatIsLikeAKeyOfNothing) {
  ip("route add blackhole 10.9.0.0/16 metric 100");
  const auto message = [&](const char* key) {
    const engine::Prepared prepared = prepare({key});
    return prepared.errors.empty() ? std::string() : format(prepared.errors.front());
  };
  EXPECT_EQ(message("route inet main 10.9.0.0/16"),
            "NO_SUCH_OBJECT: there is no route inet main 10.9.0.0/16; there is route inet main "
            "10.9.0.0/16 metric 100");
  EXPECT_THAT(message("link br1"), HasSubstr("there is link br0"));
  EXPECT_THAT(message("link"), HasSubstr("quote it"));
  EXPECT_THAT(message("bridge br0"), HasSubstr("is no key"));
  EXPECT_THAT(message(""), HasSubstr("is no key"));
  EXPECT_EQ(message("  link \t br0 "), "");
}

TEST_F(AdoptTest, TouchesNoRouteWhoseKeyAnotherHas) {
  ip("route add 10.9.0.0/16 via 10.1.0.9 proto bgp");
  ip("route append 10.9.0.0/16 via 10.1.0.8 proto static");
  const engine::Prepared prepared = prepare({"route inet main 10.9.0.0/16"});
  ASSERT_EQ(prepared.plan.refusals.size(), 1U);
  EXPECT_THAT(prepared.plan.refusals.front().message, HasSubstr("2 routes of this key"));
}

// ---- rules --------------------------------------------------------------------------------------

TEST_F(AdoptTest, RefusesARuleWhoseOrderAmongOthersWouldChange) {
  ip("rule add priority 1000 from 10.1.0.0/24 table 100");
  ip("rule add priority 1000 from 10.1.0.0/16 table 200");
  ip("rule add priority 1000 from 10.2.0.0/24 table 300");
  EXPECT_THAT(prepare({"rule inet 1000 from 10.1.0.0/24 table 100"}).plan.refusals, Not(IsEmpty()));
  adopt({"rule inet 1000 from 10.2.0.0/24 table 300"});
}

TEST_F(AdoptTest, LeavesOneRuleWhereOursStoodBesideTheOther) {
  ip("rule add priority 1000 from 10.1.0.0/24 table 100 protocol 50");
  ip("rule add priority 1000 from 10.1.0.0/24 table 100 protocol 112");
  adopt({"rule inet 1000 from 10.1.0.0/24 table 100"});
  EXPECT_EQ(ip("rule show priority 1000"), "1000:\tfrom 10.1.0.0/24 lookup 100 proto 112\n");
}

TEST_F(AdoptTest, CannotTellRulesOfTwoProtocolsApart) {
  ip("rule add priority 1000 from 10.1.0.0/24 table 100 protocol 50");
  ip("rule add priority 1000 from 10.1.0.0/24 table 100 protocol 51");
  EXPECT_THAT(prepare({"rule inet 1000 from 10.1.0.0/24 table 100"}).plan.refusals, Not(IsEmpty()));
}

// ---- what happens between the look and the deed ------------------------------------------------

TEST_F(AdoptTest, UndoesTheRestWhenSomethingHasGoneMeanwhile) {
  const auto make_all = [] {
    ip("link set br0 address 02:00:00:00:00:01");  // else it follows the port that goes
    make_one_of_each();
  };
  make_all();
  for (const char* gone : {"rule delete priority 1000 from 10.1.0.0/24", "route delete 10.9.0.0/16",
                           "link delete tap0"}) {
    const engine::Prepared prepared = prepare(one_of_each);
    ip(gone);
    const std::string before = dump_namespace();
    EXPECT_EQ(carry_out(prepared).result, engine::Result::rolled_back) << gone;
    EXPECT_EQ(difference(before, dump_namespace()), "") << gone;
    TearDown();
    SetUp();
    make_all();
  }
}

// ---- IPv4 addresses before Linux 6.4 -----------------------------------------------------------

/// Says yes to a REPLACE of an IPv4 address and leaves all as it was, as that kernel leaves
/// IFA_PROTO.
class OldKernel final : public io::Host {
 public:
  explicit OldKernel(io::Host& host) : host_(&host) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) override {
    std::vector<wire::Reply> replies;
    for (const wire::Request& request : requests) {
      const auto* change = std::get_if<wire::NetlinkChange>(&request);
      if (change != nullptr && is_replacement(*change)) {
        replies.emplace_back();
      } else {
        replies.push_back(host_->exchange(std::span(&request, 1)).front());
      }
    }
    return replies;
  }

 private:
  static bool is_replacement(const wire::NetlinkChange& change) {
    nlmsghdr header{};
    std::memcpy(&header, change.message.data(), sizeof header);
    const wire::Message message(change.message);
    return header.nlmsg_type == RTM_NEWADDR && (header.nlmsg_flags & NLM_F_REPLACE) != 0 &&
           message.fixed<ifaddrmsg>().ifa_family == AF_INET;
  }

  io::Host* host_;
};

TEST_F(AdoptTest, LosesNoPacketAndNoRouteOfAnAddressThatOldKernelsDoNotMark) {
  Flood flood;
  const std::string line = ip("-o -4 address show dev here0");
  const std::string text =
      line.substr(line.find("10.99.0.1/"), line.find(" scope") - line.find("10.99.0.1/"));
  ip("route add 10.8.0.0/16 via 10.99.0.2 src 10.99.0.1 proto static");
  const std::string before = dump_namespace();
  const std::uint64_t start = flood.sent();
  while (flood.sent() < start + 2000) std::this_thread::yield();
  OldKernel old(site_->host());
  const engine::Outcome outcome = carry_out(prepare({"address here0 " + text}), &old);
  const std::uint64_t end = flood.sent();
  while (flood.sent() < end + 2000) std::this_thread::yield();
  EXPECT_EQ(outcome.result, engine::Result::applied);
  EXPECT_THAT(outcome.unsettled, IsEmpty());
  EXPECT_EQ(difference(unmarked(before), unmarked(dump_namespace())), "");
  const Flood::Tally tally = flood.stop();
  EXPECT_EQ(tally.lost, 0U) << "of " << tally.sent;
}

TEST_F(AdoptTest, UndoesTheOtherWayToMarkAnAddressWhereverItFails) {
  ip("route add 10.8.0.0/16 via 10.1.0.9 src 10.1.0.1");
  ip("address add 10.2.0.1/32 dev br0");
  const std::string before = dump_namespace();
  std::size_t position = 0;
  for (;; ++position) {
    OldKernel old(site_->host());
    FailingHost host(old, position, EPERM);
    const engine::Outcome outcome = carry_out(
        prepare({"link br0", "address br0 10.1.0.1/24", "address br0 10.2.0.1/32"}), &host);
    if (outcome.result == engine::Result::applied) break;
    ASSERT_EQ(outcome.result, engine::Result::rolled_back)
        << position << ::testing::PrintToString(outcome.report.left_behind);
    ASSERT_EQ(difference(before, dump_namespace()), "") << "at " << position;
  }
  EXPECT_GE(position, 12U);
}

TEST_F(AdoptTest, SaysOfWhichAddressTheOtherWayFailed) {
  ip("address add 10.2.0.1/32 dev br0");
  const std::vector<std::string> keys{"address br0 10.1.0.1/24", "address br0 10.2.0.1/32"};
  std::vector<std::string> failed;
  for (std::size_t position = 0;; ++position) {
    OldKernel old(site_->host());
    FailingHost host(old, position, EPERM);
    const engine::Prepared prepared = prepare(keys);
    const engine::Outcome outcome = carry_out(prepared, &host);
    if (outcome.result == engine::Result::applied) break;
    for (std::size_t i = 0; i < prepared.plan.steps.size(); ++i) {
      const engine::StepReport& step = outcome.report.steps.at(i);
      if (step.result == engine::StepResult::failed) {
        failed.push_back(format(prepared.plan.steps[i].key));
      } else if (position >= keys.size()) {
        EXPECT_EQ(step.result, engine::StepResult::undone);
      }
    }
  }
  // First the two marks in place, then the six changes for the one, and the four for the other.
  std::vector<std::string> expected = keys;
  expected.insert(expected.end(), 6, keys[0]);
  expected.insert(expected.end(), 4, keys[1]);
  EXPECT_EQ(failed, expected);
}

TEST_F(AdoptTest, RefusesOnOldKernelsWhatWouldTakeAnotherAddressAlong) {
  ip("address add 10.1.0.2/24 dev br0");
  ip("address add 10.0.0.1/32 dev br0");
  OldKernel old(site_->host());
  const std::string before = dump_namespace();
  const engine::Prepared prepared = prepare({"address br0 10.0.0.1/32", "address br0 10.1.0.1/24"});
  const engine::Outcome outcome = carry_out(prepared, &old);
  EXPECT_EQ(outcome.result, engine::Result::rolled_back);
  EXPECT_EQ(outcome.report.steps.at(0).message, "");
  EXPECT_THAT(outcome.report.steps.at(1).message, HasSubstr("address br0 10.1.0.2/24"));
  EXPECT_EQ(difference(before, dump_namespace()), "");
}

}  // namespace
}  // namespace plumbline::test
