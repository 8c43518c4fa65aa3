// `plumbline doctor` as scripts see it.

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "tests/support/netns.hpp"

namespace plumbline::test {
namespace {

namespace json = boost::json;

class DoctorVerb : public NetnsTest {};

std::string level_of(const json::value& document, std::string_view code) {
  for (const json::value& finding : document.at("findings").as_array()) {
    if (finding.at("code").as_string() == code) return std::string(finding.at("level").as_string());
  }
  return {};
}

TEST_F(DoctorVerb, PrintsOneDocumentWithACountAndExitsByTheProblems) {
  const CommandResult result = run({PLUMBLINE_BINARY, "--format", "json", "doctor"});
  const json::value document = json::parse(result.output);
  EXPECT_EQ(result.status, document.at("problems").as_int64() == 0 ? 0 : 1) << result.output;
  EXPECT_FALSE(level_of(document, "KERNEL").empty()) << result.output;
  std::int64_t warnings = 0;
  for (const json::value& finding : document.at("findings").as_array()) {
    if (finding.at("level").as_string() == "warning") ++warnings;
  }
  EXPECT_EQ(document.at("warnings").as_int64(), warnings);
}

TEST_F(DoctorVerb, PrintsALineForEachFindingAndHowManyAreBad) {
  const CommandResult result = run({PLUMBLINE_BINARY, "doctor"});
  EXPECT_NE(result.output.find("ok      KERNEL            Linux "), std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find(" problem"), std::string::npos) << result.output;
  EXPECT_TRUE(result.output.ends_with(".\n")) << result.output;
}

TEST_F(DoctorVerb, WorksWithoutPrivilegeAndSaysWhatItCouldNotSee) {
  const std::vector<std::string> nobody{"setpriv",        "--reuid=65534",       "--regid=65534",
                                        "--clear-groups", "--bounding-set=-all", PLUMBLINE_BINARY};
  std::vector<std::string> command = nobody;
  command.emplace_back("--version");
  if (run(command).status != 0) GTEST_SKIP() << "nobody cannot start the program here";
  must_run({"iptables-legacy", "-S"});
  command = nobody;
  command.insert(command.end(), {"doctor", "--format", "json"});
  const CommandResult result = run(command);
  EXPECT_EQ(result.status, 1) << result.output;
  const json::value document = json::parse(result.output);
  EXPECT_EQ(level_of(document, "CAPABILITIES"), "problem") << result.output;
  EXPECT_EQ(level_of(document, "SCRATCH_NAMESPACE"), "problem") << result.output;
  EXPECT_EQ(level_of(document, "NF_TABLES"), "warning") << result.output;
  EXPECT_EQ(level_of(document, "LEGACY_TABLES"), "warning") << result.output;
}

}  // namespace
}  // namespace plumbline::test
