// What is remembered on a disk that is full, or holds something else in the place of the ledger.

#include "plumbline/engine/ledger_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "tests/support/small_disk.hpp"

namespace plumbline::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LedgerFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "record-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    disk_.emplace(root_, std::size_t{40} * 1024);
    if (!disk_->is_mounted()) GTEST_SKIP() << "nothing can be mounted here";
  }
  void TearDown() override {
    disk_.reset();
    fs::remove_all(root_);
  }

  [[nodiscard]] const test::SmallDisk& disk() const { return *disk_; }
  [[nodiscard]] fs::path directory() const { return root_ / "1"; }
  [[nodiscard]] fs::path file() const { return directory() / "ledger.json"; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory())) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }
  [[nodiscard]] Ledger read() const {
    std::string warning;
    Ledger ledger = read_ledger(directory(), warning);
    EXPECT_EQ(warning, "");
    return ledger;
  }

 private:
  fs::path root_;
  std::optional<test::SmallDisk> disk_;
};

Ledger with_sysctl() {
  Ledger ledger;
  ledger.memory.earlier.of<Sysctl>() = {{"net/ipv4/ip_forward", "0"}};
  return ledger;
}

/// As after an apply of many objects.
Ledger with_applied(Ledger ledger, int count) {
  for (int i = 0; i < count; ++i) ledger.memory.applied["route " + std::to_string(i)] = 1;
  return ledger;
}

TEST_F(LedgerFileTest, WhatIsFoundIsWrittenBeforeAndThereIsRoomForTheRest) {
  const Ledger first = with_sysctl();
  const Ledger last = with_applied(first, 500);
  LedgerFile file(directory(), {}, false);
  file.prepare(first, last, 1000);
  EXPECT_EQ(read(), first);
  disk().fill();
  Ledger more = last;
  more.flows_to_flush.insert("a network");
  EXPECT_EQ(file.write(more), "") << "it is longer than what was expected, and there is no room";
  EXPECT_EQ(read(), more);
  EXPECT_THAT(names(), ElementsAre("ledger.json"));
}

TEST_F(LedgerFileTest, NothingIsToBeChangedWhereWhatIsFoundCannotBeWritten) {
  disk().fill();
  const Ledger first = with_sysctl();
  EXPECT_THROW(LedgerFile(directory(), {}, false).prepare(first, first, 0), CannotRemember);
  EXPECT_THROW(LedgerFile(directory(), {}, false).prepare({}, with_applied({}, 1), 0),
               CannotRemember);
  disk().make_room();
  EXPECT_THROW(LedgerFile(directory(), {}, false).prepare(first, with_applied(first, 3000), 0),
               CannotRemember)
      << "there is room for what is found, and none for what will be known";
  disk().set_read_only(true);
  EXPECT_THROW(LedgerFile(directory(), first, false).prepare(first, with_applied(first, 1), 0),
               CannotRemember);
}

TEST_F(LedgerFileTest, WhoseValuesTheyAreIsToBeRememberedAsTheyAre) {
  const Ledger first = with_sysctl();
  write_ledger(directory(), first);
  disk().fill();
  const IfName eth0 = *IfName::parse("eth0");
  const auto prepare = [&](auto&& learn) {
    Ledger last = first;
    learn(last.memory);
    LedgerFile(directory(), first, false).prepare(first, last, 0);
  };
  EXPECT_THROW(
      prepare([](memory::Memory& memory) { memory.followed["net/ipv4/ip_forward"].left = "1"; }),
      CannotRemember);
  EXPECT_THROW(prepare([&](memory::Memory& memory) { memory.ports[eth0].cost = 50; }),
               CannotRemember);
  EXPECT_THROW(prepare([&](memory::Memory& memory) { memory.indexes[eth0] = 5; }), CannotRemember);
  EXPECT_THROW(prepare([&](memory::Memory& memory) { memory.port_of[eth0] = 5; }), CannotRemember);
  EXPECT_THROW(prepare([](memory::Memory& memory) {
                 memory.chains[{Family::inet, "filter", "INPUT"}] = "1/2";
               }),
               CannotRemember);
  prepare(
      [](memory::Memory& memory) { memory.refused["sysctl net.ipv4.ip_forward"] = "a kernel"; });
}

TEST_F(LedgerFileTest, WhatIsOnlyForgottenNeedsNoRoom) {
  const Ledger all = with_applied(with_sysctl(), 100);
  write_ledger(directory(), all);
  disk().fill();
  const Ledger less = with_applied({}, 100);
  LedgerFile some(directory(), all, false);
  some.prepare(all, less, 0);
  EXPECT_THAT(some.write(less), HasSubstr("not remembered: the values found before: "));
  EXPECT_EQ(read(), all);
  LedgerFile nothing(directory(), all, false);
  nothing.prepare(all, {}, 0);
  EXPECT_EQ(nothing.write({}), "");
  EXPECT_EQ(read(), Ledger());
  EXPECT_THAT(names(), ::testing::IsEmpty());
}

TEST_F(LedgerFileTest, WhatWasCompiledGivesWay) {
  const auto cache = io::PrivateDirectory::make(disk().at() / "compiled");
  ASSERT_TRUE(cache.write("rules", std::string(20'000, 'x')));
  disk().fill();
  LedgerFile file(directory(), {}, false);
  file.prepare(with_sysctl(), with_applied(with_sysctl(), 300), 0);
  EXPECT_EQ(read(), with_sysctl());
  EXPECT_FALSE(cache.read("rules", 100'000).content);
}

TEST_F(LedgerFileTest, FlowsThatHaveToEndStopNothing) {
  const Ledger before = with_sysctl();
  write_ledger(directory(), before);
  disk().fill();
  Ledger first = before;
  first.flows_to_flush.insert("svbr0");
  LedgerFile file(directory(), before, false);
  file.prepare(first, before, 10);
  EXPECT_EQ(file.write(before), "");
}

TEST_F(LedgerFileTest, OnTheWayBackTheLedgerIsAgainWhatItWas) {
  const Ledger before = with_applied({}, 100);
  write_ledger(directory(), before);
  Ledger first = before;
  first.memory.earlier = with_sysctl().memory.earlier;
  LedgerFile file(directory(), before, false);
  file.prepare(first, with_applied(first, 200), 0);
  EXPECT_EQ(read(), first);
  disk().fill();
  EXPECT_EQ(file.write(before), "");
  EXPECT_EQ(read(), before);
  EXPECT_THAT(names(), ElementsAre("ledger.json"));
}

TEST_F(LedgerFileTest, WhatIsNoLedgerIsKeptAndTold) {
  fs::create_directories(directory());
  for (const std::string kept : {"ledger.json.kept-1", "ledger.json.kept-2"}) {
    std::ofstream(file()) << "{ \"earlier\": { \"sysctls\": { \"net/ipv4/ip_forw";
    std::string warning;
    EXPECT_EQ(read_ledger(directory(), warning), Ledger());
    EXPECT_THAT(warning, HasSubstr("ledger.json:1:"));
    LedgerFile file(directory(), {}, true);
    file.prepare({}, with_sysctl(), 0);
    EXPECT_EQ(file.write(with_sysctl()), "");
    EXPECT_EQ(file.take_kept(), directory() / kept);
    EXPECT_EQ(file.take_kept(), "") << "said once";
    EXPECT_EQ(read(), with_sysctl());
    std::ostringstream text;
    text << std::ifstream(directory() / kept).rdbuf();
    EXPECT_THAT(text.str(), HasSubstr("ip_forw"));
  }
}

TEST_F(LedgerFileTest, ADirectoryOfOthersHoldsNoLedger) {
  write_ledger(directory(), with_sysctl());
  fs::permissions(directory(), fs::perms(0777));
  std::string warning;
  EXPECT_EQ(read_ledger(directory(), warning), Ledger());
  EXPECT_THAT(warning, HasSubstr("is not used: it is not ours alone (owner 0, mode 0777)"));
  LedgerFile file(directory(), {}, true);
  EXPECT_THROW(file.prepare(with_sysctl(), with_sysctl(), 0), CannotRemember);
  EXPECT_THAT(names(), ElementsAre("ledger.json"));
}

}  // namespace
}  // namespace plumbline::engine
