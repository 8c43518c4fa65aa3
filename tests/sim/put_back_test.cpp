// What was there before us is remembered in the ledger, and put back when we go.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "plumbline/engine/lock.hpp"
#include "tests/sim/links.hpp"
#include "tests/sim/seen.hpp"
#include "tests/sim/site.hpp"
#include "tests/sim/specs.hpp"
#include "tests/sim/sysctls.hpp"

namespace plumbline::sim {

namespace {

using engine::Result;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class PutBack : public testing::Test {
 protected:
  Namespace& there() { return site_.kernel().there(); }
  std::string setting(const std::string& path) { return read_setting(there(), path); }
  void destroy() {
    site_.forget_what_was_seen();
    site_.options.allow_empty = true;
    site_.apply(empty_spec());
  }

  Site site_;
};

TEST_F(PutBack, ASettingGetsTheValueItHadAndNotTheUsualOne) {
  write_setting(there(), "net/ipv4/tcp_syncookies", "0");
  site_.apply(spec("Settings"));
  EXPECT_EQ(setting("net/ipv4/tcp_syncookies"), "2");
  destroy();
  EXPECT_EQ(setting("net/ipv4/tcp_syncookies"), "0");
}

TEST_F(PutBack, WhatForwardingWroteAlongIsAsItWasToo) {
  write_setting(there(), "net/ipv4/conf/eth1/forwarding", "1");
  site_.apply(spec("Settings"));
  destroy();
  EXPECT_EQ(setting("net/ipv4/conf/eth1/forwarding"), "1");
  EXPECT_EQ(setting("net/ipv4/conf/all/accept_redirects"), "1");
  EXPECT_EQ(setting("net/ipv4/ip_forward"), "0");
}

TEST_F(PutBack, ACardGetsItsMtuAndItsBridgeBack) {
  set_mtu(there(), *there().device("eth0"), 1450);
  const std::vector<std::string> before = site_.state();
  site_.apply(spec("Card"));
  EXPECT_EQ(there().device("eth0")->mtu, 1400U);
  EXPECT_NE(there().device("eth1")->master, 0);
  destroy();
  EXPECT_EQ(difference(before, site_.state()), "");
}

TEST_F(PutBack, AnotherProcessKnowsItFromTheLedger) {
  write_setting(there(), "net/ipv4/tcp_syncookies", "0");
  site_.apply(spec("Settings"));
  EXPECT_TRUE(std::filesystem::exists(site_.directory() / "ledger.json"));
  site_.forget_what_was_seen();
  destroy();
  EXPECT_EQ(setting("net/ipv4/tcp_syncookies"), "0");
  EXPECT_FALSE(std::filesystem::exists(site_.directory() / "ledger.json"));
}

TEST_F(PutBack, WithoutALedgerSettingsStayAndAllElseGoes) {
  site_.apply(spec("Everything"));
  std::filesystem::remove(site_.directory() / "ledger.json");
  destroy();
  EXPECT_EQ(setting("net/ipv4/ip_forward"), "1");
  EXPECT_EQ(there().device("br0"), nullptr);
  EXPECT_EQ(there().device("eth0")->inet.size(), 0U);
}

TEST_F(PutBack, ALedgerThatCannotBeReadIsSaidAndPutAside) {
  std::filesystem::create_directory(site_.directory());
  std::filesystem::permissions(site_.directory(), std::filesystem::perms::owner_all);
  std::ofstream(site_.directory() / "ledger.json") << "no JSON";
  const engine::Prepared prepared = site_.prepare(spec("Settings"));
  ASSERT_EQ(prepared.warnings.size(), 1U);
  EXPECT_THAT(prepared.warnings.front().message, HasSubstr("ledger.json"));
  EXPECT_EQ(site_.carry_out(prepared).result, Result::applied);
}

TEST_F(PutBack, WhatSomebodyElseWritesMeanwhileIsDriftAndNotRemembered) {
  site_.apply(spec("Settings"));
  write_setting(there(), "net/ipv4/tcp_syncookies", "0");
  destroy();
  EXPECT_EQ(setting("net/ipv4/tcp_syncookies"), "1");
}

TEST_F(PutBack, APolicyIsThatFromBefore) {
  site_.apply(spec("Chains"));
  destroy();
  EXPECT_THAT(there().nf_tables.tables, IsEmpty());
}

TEST_F(PutBack, ALinkThatIsGoneIsForgotten) {
  site_.apply(spec("Card"));
  unregister_device(there(), there().device("eth0")->index);
  destroy();
  EXPECT_FALSE(std::filesystem::exists(site_.directory() / "ledger.json"));
}

TEST_F(PutBack, OneWorksAtATime) {
  int holder = 0;
  const auto lock = engine::Lock::take(site_.directory(), holder);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(engine::Lock::take(site_.directory(), holder));
  EXPECT_EQ(holder, getpid());
}

TEST_F(PutBack, AnEmptySpecIsRefusedUnlessItIsMeant) {
  site_.apply(spec("Everything"));
  const std::vector<std::string> applied = site_.state();
  const engine::Prepared prepared = site_.prepare(empty_spec());
  EXPECT_EQ(site_.carry_out(prepared).result, Result::refused);
  EXPECT_EQ(difference(applied, site_.state()), "");
}

}  // namespace

}  // namespace plumbline::sim
