// Others at work on the same tables while plumbline is: iptables in a loop, a program that restores
// its chains as Docker does, and a second plumbline. Nobody loses an update, and nobody meets half
// of ours.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <mutex>
#include <sstream>
#include <thread>

#include "plumbline/engine/ledger_file.hpp"
#include "tests/support/tables.hpp"

namespace plumbline::test {
namespace {

namespace json = boost::json;

constexpr int least_versions = 40;
constexpr int most_versions = 250;
/// How often the second plumbline has to have had its turn.
constexpr int least_turns = 3;
constexpr int most_tries = 200;  ///< of one version, before it is called a failure
constexpr int rules_in_a_chain = 12;
/// That an administrator leaves standing, once there are as many: the more there are, the slower
/// everybody is.
constexpr std::size_t most_standing = 300;

using Rules = std::vector<std::string>;

/// The rules of a version, as they are saved: all of them name it.
Rules rules_of_version(int version) {
  Rules rules;
  for (int i = 0; i < rules_in_a_chain; ++i) {
    rules.push_back("-s 10." + std::to_string(version) + ".0." + std::to_string(i) +
                    "/32 -j RETURN");
  }
  return rules;
}

std::string spec(int version) {
  std::string list;
  for (const std::string& rule : rules_of_version(version)) list += "\"" + rule + "\", ";
  list += "\"-s 10.255.255.255/32 -j RETURN\"";
  return R"({ "version": 1, "iptables": {
    "filter": { "chains": { "APP": { "rules": [ )" +
         list + R"( ] } },
                "shared": { "FORWARD": { "insert": [ "-i br-app -j APP" ] },
                            "INPUT": { "insert": [ "-s 10.)" +
         std::to_string(version) + R"(.0.0/32 -j APP" ], "append": [ "-i br-app -j DROP" ] } } },
    "nat": { "chains": { "APP-NAT": { "rules": [ )" +
         list + R"( ] } }, "shared": { "POSTROUTING": { "insert": [ "-j APP-NAT" ] } } } } })";
}

/// Somebody at work in a thread of their own, and what went wrong there. Each stops in its own
/// destructor, before what its turns use goes.
class Rival {
 public:
  explicit Rival(io::Backend backend) : backend_(backend) {}
  Rival(const Rival&) = delete;
  Rival& operator=(const Rival&) = delete;
  virtual ~Rival() { stop(); }

  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] int turns() const { return turns_; }
  [[nodiscard]] const std::string& failures() const { return failures_; }

 protected:
  void start(std::function<void()> turn) {
    thread_ = std::thread([this, turn = std::move(turn)] {
      while (!stopping_) {
        turn();
        ++turns_;
      }
    });
  }
  [[nodiscard]] io::Backend backend() const { return backend_; }
  void fail(const std::string& what) { failures_ += what + "\n"; }
  void expect_done(const std::string& what, const CommandResult& result) {
    if (result.status != 0) fail(what + ": " + result.output);
  }

 private:
  io::Backend backend_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> turns_ = 0;
  std::string failures_;
  std::thread thread_;
};

/// Adds rules to a chain with iptables, one at a time, and deletes some of them again.
class Administrator final : public Rival {
 public:
  Administrator(io::Backend backend, std::string table, std::string chain, std::string name)
      : Rival(backend), table_(std::move(table)), chain_(std::move(chain)), name_(std::move(name)) {
    start([this] { turn(); });
  }
  ~Administrator() override { stop(); }

  /// In their order.
  [[nodiscard]] Rules expected() const { return {present_.begin(), present_.end()}; }
  /// Those of a chain that are this one's.
  [[nodiscard]] Rules among(Rules rules) const {
    std::erase_if(rules, [this](const std::string& rule) {
      return rule.find("--comment " + name_) == std::string::npos;
    });
    return rules;
  }
  [[nodiscard]] std::string table() const { return "iptables " + table_; }
  [[nodiscard]] const std::string& chain() const { return chain_; }

 private:
  void turn() {
    const std::string number = std::to_string(++last_);
    const std::string rule = "-s 198.51.100." + std::to_string(last_ % 250) +
                             "/32 -m comment --comment " + name_ + number + " -j ACCEPT";
    if (change("-A", rule)) present_.push_back(rule);
    // Now the oldest, now one in the middle; one in three stays.
    if (last_ % 3 == 0 && present_.size() < most_standing) return;
    const auto victim =
        present_.begin() + (last_ % 2 == 0 ? 0 : static_cast<std::ptrdiff_t>(present_.size() / 2));
    if (change("-D", *victim)) present_.erase(victim);
  }

  bool change(const std::string& command, const std::string& rule) {
    std::vector<std::string> words{"-t", table_, command, chain_};
    std::istringstream in(rule);
    for (std::string word; in >> word;) words.push_back(word);
    const CommandResult result = iptables(backend(), words);
    expect_done(command + " " + chain_ + " " + rule, result);
    return result.status == 0;
  }

  std::string table_;
  std::string chain_;
  std::string name_;
  std::deque<std::string> present_;
  int last_ = 0;
};

/// Restores chains of its own again and again, and puts the jump to them back to the top.
class Docker final : public Rival {
 public:
  explicit Docker(io::Backend backend) : Rival(backend) {
    start([this] { turn(); });
  }
  ~Docker() override { stop(); }

  [[nodiscard]] const Rules& expected() const { return rules_; }

 private:
  void turn() {
    Rules rules;
    std::string text = "*filter\n:DOCKER - [0:0]\n:DOCKER-ISOLATION - [0:0]\n";
    for (int i = 0; i <= last_ % 5; ++i) {
      rules.push_back("-d 172.17." + std::to_string(last_ % 250) + "." + std::to_string(i) +
                      "/32 -j ACCEPT");
      text += "-A DOCKER " + rules.back() + "\n";
    }
    text += "-A DOCKER-ISOLATION -j RETURN\nCOMMIT\n";
    const std::string restore = program_of(backend(), "iptables", "restore");
    expect_done("restore", run({restore, "--noflush", "-w", "60"}, text));
    rules_ = rules;
    if (last_ > 0) {
      expect_done("-D FORWARD", iptables(backend(), {"-D", "FORWARD", "-j", "DOCKER"}));
    }
    expect_done("-I FORWARD", iptables(backend(), {"-I", "FORWARD", "-j", "DOCKER"}));
    ++last_;
  }

  Rules rules_;
  int last_ = 0;
};

struct Answer {
  CommandResult result;
  std::string codes;  ///< of the errors in its document, and its result
};

Answer plumbline_apply(io::Backend backend, const std::filesystem::path& file) {
  Answer answer{run({PLUMBLINE_BINARY, "apply", "--yes", "--format", "json", "--iptables",
                     std::string(format(backend)), file}),
                {}};
  // Warnings may come before it.
  const std::string& said = answer.result.output;
  boost::system::error_code error;
  const auto start = said.rfind("\n{", said.size());
  const json::value document =
      json::parse(start == std::string::npos ? said : said.substr(start + 1), error);
  if (error || !document.is_object()) return answer;
  if (const json::value* result = document.as_object().if_contains("result")) {
    answer.codes += result->as_string();
  }
  if (const json::value* errors = document.as_object().if_contains("errors")) {
    for (const json::value& one : errors->as_array()) {
      answer.codes += " " + std::string(one.at("code").as_string());
    }
  }
  return answer;
}

/// An end of an apply that leaves no doubt about what became of it.
enum class End { done, not_now, unclear };

End end_of(const Answer& answer) {
  const auto says = [&](const char* word) { return answer.codes.find(word) != std::string::npos; };
  const int status = answer.result.status;
  if (status == 0 && (says("applied") || says("unchanged"))) return End::done;
  const bool busy = says("LOCKED") || says("BUSY");
  if (busy && (status == 4 || status == 3 || status == 1)) return End::not_now;
  if (status == 3 && says("rolled-back")) return End::not_now;
  return End::unclear;
}

/// A second plumbline that applies whatever the file says.
class Plumbline final : public Rival {
 public:
  Plumbline(io::Backend backend, std::filesystem::path file)
      : Rival(backend), file_(std::move(file)) {
    start([this] { turn(); });
  }
  ~Plumbline() override { stop(); }
  [[nodiscard]] int done() const { return done_; }

 private:
  void turn() {
    const Answer answer = plumbline_apply(backend(), file_);
    const End end = end_of(answer);
    if (end == End::unclear) {
      fail("second plumbline: exit status " + std::to_string(answer.result.status) + ": " +
           answer.result.output);
    }
    done_ += end == End::done ? 1 : 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

  std::filesystem::path file_;
  std::atomic<int> done_ = 0;
};

/// Looks at our chain all the time: it must never be anything but one version, whole.
class Witness final : public Rival {
 public:
  explicit Witness(io::Backend backend) : Rival(backend) {
    start([this] { turn(); });
  }
  ~Witness() override { stop(); }

 private:
  void turn() {
    const CommandResult listed = iptables(backend(), {"-S", "APP"});
    if (listed.status != 0) {
      fail("our chain is not there: " + listed.output);
      return;
    }
    Rules rules = rules_of(listed.output, "APP");
    // The last of the spec, and our mark.
    if (rules.size() != rules_in_a_chain + 2) {
      fail("a half of our chain:\n" + listed.output);
      return;
    }
    rules.resize(rules_in_a_chain);
    for (int version = 0; version <= most_versions; ++version) {
      if (rules == rules_of_version(version)) return;
    }
    fail("a mixture in our chain:\n" + listed.output);
  }
};

class RivalsTest : public NetnsTest, public testing::WithParamInterface<io::Backend> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (const std::string why_not = why_no_iptables(GetParam()); !why_not.empty()) {
      GTEST_SKIP() << why_not;
    }
    std::string name = std::filesystem::temp_directory_path() / "plumbline-rivals-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    const std::string restore = program_of(GetParam(), "iptables", "restore");
    must_run({restore, "--noflush", "-w", "60"},
             "*filter\n:QUIET - [0:0]\n-A QUIET -s 192.0.2.1/32 -j DROP\n-A INPUT -j QUIET\n"
             "COMMIT\n*mangle\n-A FORWARD -s 192.0.2.2/32 -j ACCEPT\nCOMMIT\n");
  }

  void TearDown() override {
    if (!directory_.empty()) {
      std::filesystem::remove_all(directory_);
      std::filesystem::remove_all(engine::state_directory());
    }
    NetnsTest::TearDown();
  }

  [[nodiscard]] std::filesystem::path file() const { return directory_ / "spec.json"; }

  /// The file is one version or the other at any time.
  void write(int version) const {
    const std::filesystem::path fresh = directory_ / "fresh";
    std::ofstream(fresh) << spec(version);
    std::filesystem::rename(fresh, file());
  }

  /// Applies until it is done; how often that was put off.
  int apply_until_done() const {
    for (int tries = 0; tries < most_tries; ++tries) {
      const Answer answer = plumbline_apply(GetParam(), file());
      const End end = end_of(answer);
      EXPECT_NE(end, End::unclear) << answer.result.status << ": " << answer.result.output;
      if (end != End::not_now) return tries;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "not done in " << most_tries << " tries";
    return most_tries;
  }

  void expect_converged(int version) const {
    const CommandResult planned = run({PLUMBLINE_BINARY, "plan", "--detailed-exitcode",
                                       "--iptables", std::string(format(GetParam())), file()});
    EXPECT_EQ(planned.status, 0) << planned.output;
    const auto tables = saved_tables(GetParam(), Counters::hidden);
    for (const auto& [table, chain] :
         {std::pair{"iptables filter", "APP"}, std::pair{"iptables nat", "APP-NAT"}}) {
      Rules rules = rules_of(tables.at(table), chain);
      ASSERT_EQ(rules.size(), rules_in_a_chain + 2U) << tables.at(table);
      rules.resize(rules_in_a_chain);
      EXPECT_EQ(rules, rules_of_version(version));
    }
    const std::string& filter = tables.at("iptables filter");
    EXPECT_EQ(rules_of(filter, "FORWARD").front(),
              "-i br-app -m comment --comment plumbline -j APP");
    EXPECT_EQ(rules_of(filter, "INPUT").back(), "-i br-app -m comment --comment plumbline -j DROP");
    EXPECT_EQ(std::ranges::count(rules_of(filter, "INPUT"), "-j QUIET"), 1);
    EXPECT_EQ(rules_of(filter, "QUIET"), Rules{"-s 192.0.2.1/32 -j DROP"});
    EXPECT_EQ(rules_of(tables.at("iptables mangle"), "FORWARD"),
              Rules{"-s 192.0.2.2/32 -j ACCEPT"});
  }

 private:
  std::filesystem::path directory_;
};

INSTANTIATE_TEST_SUITE_P(Backends, RivalsTest,
                         testing::Values(io::Backend::nft, io::Backend::legacy),
                         [](const auto& of) { return std::string(format(of.param)); });

TEST_P(RivalsTest, NobodyLosesAnUpdate) {
  write(0);
  ASSERT_EQ(apply_until_done(), 0);
  Administrator input(GetParam(), "filter", "INPUT", "in");
  Administrator nat(GetParam(), "nat", "POSTROUTING", "nat");
  Docker docker(GetParam());
  Plumbline other(GetParam(), file());
  Witness witness(GetParam());
  int put_off = 0;
  int version = 0;
  while (!HasFailure() && version < most_versions) {
    if (version >= least_versions && other.done() >= least_turns) break;
    write(++version);
    put_off += apply_until_done();
  }
  for (Rival* rival : std::initializer_list<Rival*>{&input, &nat, &docker, &other, &witness}) {
    rival->stop();
    EXPECT_EQ(rival->failures(), "");
    EXPECT_GT(rival->turns(), 5);
  }
  EXPECT_EQ(apply_until_done(), 0);
  expect_converged(version);

  const auto tables = saved_tables(GetParam(), Counters::hidden);
  for (const Administrator* one : {&input, &nat}) {
    EXPECT_EQ(one->among(rules_of(tables.at(one->table()), one->chain())), one->expected());
    EXPECT_GT(one->expected().size(), 2U);
  }
  const std::string& filter = tables.at("iptables filter");
  EXPECT_EQ(rules_of(filter, "DOCKER"), docker.expected());
  EXPECT_EQ(rules_of(filter, "DOCKER-ISOLATION"), Rules{"-j RETURN"});
  EXPECT_EQ(std::ranges::count(rules_of(filter, "FORWARD"), "-j DOCKER"), 1);
  std::cout << "    " << version << " versions applied, " << put_off << " times put off; "
            << other.done() << " of " << other.turns() << " by the second plumbline; iptables "
            << input.turns() + nat.turns() << " turns, restore " << docker.turns() << ", looked at "
            << witness.turns() << " times\n";
  EXPECT_GE(other.done(), least_turns);
}

}  // namespace
}  // namespace plumbline::test
