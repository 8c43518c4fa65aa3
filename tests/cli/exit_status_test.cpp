// Every exit status of docs/cli.md, made to happen: the report says the same, as text and as JSON.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "plumbline/engine/ledger_file.hpp"
#include "plumbline/engine/lock.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/tables.hpp"

namespace plumbline::test {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

const std::string route = R"({"to": "10.9.0.0/16", "type": "blackhole"})";
const std::string good = R"({"version": 1, "routes": [)" + route + "]}";
const std::string fails = R"({"version": 1, "routes": [{"to": "10.8.0.0/16", "type": "blackhole"}],
                              "sysctls": {"net.ipv4.ip_local_port_range": "5 1"}})";

struct Both {
  int status = -1;
  std::string words;
  json::object document;
};

class ExitStatus : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (!IsSkipped()) bring_up_loopback();
  }
  void TearDown() override {
    std::filesystem::remove_all(engine::state_directory());
    NetnsTest::TearDown();
  }

  static CommandResult plumbline(std::vector<std::string> words, const std::string& input) {
    words.insert(words.begin(), PLUMBLINE_BINARY);
    return run(words, input);
  }
  /// Of what changes nothing, or fails and is undone, so that it is the same twice.
  static Both both(const std::vector<std::string>& words, const std::string& input) {
    const CommandResult text = plumbline(words, input);
    std::vector<std::string> asking{
        "sh", "-c", R"(exec "$@" 2>/dev/null)", "sh", PLUMBLINE_BINARY, "--format", "json"};
    asking.insert(asking.end(), words.begin(), words.end());
    const CommandResult document = run(asking, input);
    EXPECT_EQ(document.status, text.status) << text.output << document.output;
    return {text.status, text.output, json::parse(document.output).as_object()};
  }
  static std::string code_of(const json::object& document) {
    return std::string(document.at("errors").at(0).at("code").as_string());
  }
  static std::vector<std::string> results_of(const json::object& document) {
    std::vector<std::string> results;
    for (const json::value& step : document.at("steps").as_array()) {
      results.emplace_back(step.at("result").as_string());
    }
    return results;
  }
};

TEST_F(ExitStatus, Is0WhereItIsDoneOrThereIsNothingToDo) {
  const CommandResult applied = plumbline({"--format", "json", "apply", "--yes", "-"}, good);
  EXPECT_EQ(applied.status, 0);
  const json::object document = json::parse(applied.output).as_object();
  EXPECT_EQ(document.at("result"), "applied");
  EXPECT_THAT(results_of(document), testing::ElementsAre("done"));
  const Both again = both({"apply", "--yes", "-"}, good);
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(again.document.at("result"), "unchanged");
  EXPECT_THAT(again.words, HasSubstr("No changes."));
}

TEST_F(ExitStatus, Is0WithBlockedObjectsWhichAreListed) {
  const std::string waits = R"({"version": 1, "routes": [{"to": "10.9.0.0/16", "dev": "none0"}]})";
  const Both blocked = both({"apply", "--yes", "-"}, waits);
  EXPECT_EQ(blocked.status, 0);
  EXPECT_THAT(blocked.words, HasSubstr("waits for"));
}

TEST_F(ExitStatus, Is1WhereTheSpecIsBadAndNothingWasChanged) {
  const Both bad = both({"apply", "--yes", "-"}, R"({"version": 1, "rout": []})");
  EXPECT_EQ(bad.status, 1);
  EXPECT_EQ(code_of(bad.document), "UNKNOWN_KEY");
  EXPECT_THAT(bad.words, HasSubstr("UNKNOWN_KEY"));
}

TEST_F(ExitStatus, Is1WhereThereIsNoSuchNamespace) {
  const Both lost = both({"--netns", "/no/such", "apply", "--yes", "-"}, good);
  EXPECT_EQ(lost.status, 1);
  EXPECT_EQ(code_of(lost.document), "CANNOT_OBSERVE");
}

TEST_F(ExitStatus, Is2WhereChangesArePending) {
  const Both pending = both({"plan", "--detailed-exitcode", "-"}, good);
  EXPECT_EQ(pending.status, 2);
  EXPECT_EQ(pending.document.at("summary").at("create"), 1);
}

TEST_F(ExitStatus, Is3WhereAllWasUndone) {
  ASSERT_EQ(plumbline({"apply", "--yes", "-"}, good).status, 0);
  const Both undone = both({"apply", "--yes", "-"}, fails);
  EXPECT_EQ(undone.status, 3);
  EXPECT_EQ(undone.document.at("result"), "rolled-back");
  EXPECT_FALSE(undone.document.contains("left_behind"));
  EXPECT_THAT(results_of(undone.document), testing::Contains("failed"));
  EXPECT_THAT(results_of(undone.document), testing::Not(testing::Contains("done")));
  EXPECT_THAT(undone.words, HasSubstr("Rolled back"));
  EXPECT_EQ(ip("route show"), "blackhole 10.9.0.0/16 proto 112 \n");
}

TEST_F(ExitStatus, Is3WhereRulesOfOursThatStoodApartStayedAsTheyWere) {
  if (!why_no_iptables(io::Backend::nft).empty()) GTEST_SKIP() << why_no_iptables(io::Backend::nft);
  for (const char* const comment : {"plumbline", "theirs", "plumbline: second", "theirs"}) {
    must_run({"iptables-nft", "-A", "INPUT", "-m", "comment", "--comment", comment});
  }
  const std::string before = must_run({"iptables-nft", "-S", "INPUT"});
  const Both undone = both({"--iptables", "nft", "apply", "--yes", "-"}, fails);
  EXPECT_EQ(undone.status, 3) << undone.words;
  EXPECT_FALSE(undone.document.contains("left_behind"));
  EXPECT_EQ(must_run({"iptables-nft", "-S", "INPUT"}), before);
}

TEST_F(ExitStatus, Is4WhereSomethingForeignIsInTheWay) {
  ip("route add unreachable 10.9.0.0/16");
  const Both refused = both({"apply", "--yes", "-"}, good);
  EXPECT_EQ(refused.status, 4);
  EXPECT_EQ(refused.document.at("result"), "refused");
  EXPECT_EQ(code_of(refused.document), "FOREIGN_CONFLICT");
  EXPECT_THAT(refused.words, HasSubstr("Refused. Nothing was changed."));
}

TEST_F(ExitStatus, Is4WhereEverythingWouldGo) {
  ASSERT_EQ(plumbline({"apply", "--yes", "-"}, good).status, 0);
  const Both refused = both({"apply", "--yes", "-"}, R"({"version": 1, "routes": []})");
  EXPECT_EQ(refused.status, 4);
  EXPECT_EQ(code_of(refused.document), "WOULD_REMOVE_EVERYTHING");
}

TEST_F(ExitStatus, Is4WhereAnotherIsAtWork) {
  int holder = 0;
  const auto lock = engine::Lock::take(engine::state_directory(), holder);
  ASSERT_TRUE(lock);
  const Both refused = both({"apply", "--yes", "-"}, good);
  EXPECT_EQ(refused.status, 4);
  EXPECT_EQ(code_of(refused.document), "LOCKED");
  EXPECT_THAT(refused.words, HasSubstr("pid " + std::to_string(getpid())));
}

TEST_F(ExitStatus, Is64WhereTheCommandLineMakesNoSense) {
  const Both wrong = both({"apply", "-"}, good);
  EXPECT_EQ(wrong.status, 64);
  EXPECT_EQ(code_of(wrong.document), "USAGE");
}

TEST_F(ExitStatus, IsThatOfTheChangeWhoeverReadsTheReport) {
  const auto unread = [](const std::string& how, const std::string& words,
                         const std::string& input) {
    const std::string script = "\"$0\" " + words + how;
    return run({"sh", "-c", script, PLUMBLINE_BINARY}, input).status;
  };
  EXPECT_EQ(unread(" >/dev/full", "apply --yes -", good), 0);
  EXPECT_EQ(ip("route show"), "blackhole 10.9.0.0/16 proto 112 \n");
  EXPECT_EQ(unread(" >/dev/full", "apply --yes -", fails), 3);
  EXPECT_EQ(unread(" >/dev/full", "show", ""), 1) << "a spec that is not whole";
  EXPECT_EQ(unread(" >/dev/full", "plan --detailed-exitcode -", fails), 1);
  // A pipe whose reader has gone.
  const std::string gone = "{ sleep 0.2; \"$0\" destroy --yes; echo $? >&3; } | true";
  const CommandResult piped = run({"sh", "-c", "(" + gone + ") 3>&1", PLUMBLINE_BINARY});
  EXPECT_EQ(piped.output, "0\n");
  EXPECT_EQ(ip("route show"), "");
}

}  // namespace
}  // namespace plumbline::test
