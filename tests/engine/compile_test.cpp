// What the installed iptables makes of rules, in a scratch namespace.

#include "plumbline/engine/compile.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

#include <chrono>
#include <fstream>

#include "tests/support/netns.hpp"

namespace plumbline::engine {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Rules = std::vector<std::string>;

class Compile : public test::NetnsTest, public testing::WithParamInterface<io::Backend> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    const std::string restore = "iptables-" + std::string(format(GetParam())) + "-restore";
    if (test::run({restore, "--version"}).status != 0) {
      GTEST_SKIP() << "iptables is not installed";
    }
    scratch_.emplace(GetParam());
    compiler_.emplace(*scratch_);
  }

  void want(const std::string& name, Rules rules, std::string table = "filter",
            Family family = Family::inet) {
    Chain chain{family, std::move(table), name, listed(rules), false};
    note_origins(key(chain), chain.rules.size());
    wanted_.state.of<Chain>().push_back(with_mark(std::move(chain), Mark{}));
  }

  void want_shared(const std::string& name, Rules insert, Rules append = {},
                   std::string table = "filter") {
    SharedChain chain;
    chain.table = std::move(table);
    chain.name = name;
    chain.insert = listed(insert);
    chain.append = listed(append);
    note_origins(key(chain), chain.insert.size() + chain.append.size());
    wanted_.state.of<SharedChain>().push_back(with_mark(chain, Mark{}));
  }

  void have(const std::string& name, Rules rules) {
    have_.of<Chain>().push_back({Family::inet, "filter", name, listed(rules), false});
  }

  /// The state with the saved rules; `errors()` says what was refused.
  State compile() {
    wanted_.state.sort();
    have_.sort();
    spec::Desired desired = wanted_;
    diagnostics_ = {};
    compiler_->compile(desired, have_, diagnostics_);
    return desired.state;
  }

  Rules rules_of(const State& state, const std::string& name, const std::string& table = "filter",
                 Family family = Family::inet) {
    return texts(state.find<Chain>({family, table, name})->rules);
  }

  static RuleList listed(const Rules& rules) { return RuleList::Rules(rules.begin(), rules.end()); }

  /// Without the mark of the chain.
  static Rules texts(const RuleList& rules) {
    Rules texts;
    for (const FirewallRule& rule : rules) {
      if (!rule.is_mark()) texts.push_back(rule.text());
    }
    return texts;
  }

  /// `LINE: message`, where a rule's line is 100 for each object before it and its place.
  std::vector<std::string> errors() {
    std::vector<std::string> errors;
    for (const Diagnostic& error : diagnostics_.errors) {
      EXPECT_EQ(error.code, Code::invalid_iptables_rule);
      errors.push_back(std::to_string(error.origin.line) + ": " + error.message);
    }
    return errors;
  }

  std::optional<io::ScratchHost> scratch_;
  std::optional<Compiler> compiler_;
  Diagnostics diagnostics_;

 private:
  void note_origins(const Key& key, std::size_t rules) {
    const auto file = std::make_shared<const std::string>("spec.json");
    objects_ += 100;
    for (std::size_t i = 0; i < rules; ++i) {
      wanted_.rule_origins[key].push_back({file, static_cast<std::uint32_t>(objects_ + i), 1});
    }
  }

  spec::Desired wanted_;
  State have_;
  std::size_t objects_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Backends, Compile, testing::Values(io::Backend::nft, io::Backend::legacy),
                         [](const auto& param) { return std::string(format(param.param)); });

TEST_P(Compile, GivesTheSavedForm) {
  want("APP", {"-p tcp -d 10.0.0.1 --dport ssh -j ACCEPT", "-j REJECT", ""});
  want("APP", {"-d fd00::1 -j DROP"}, "mangle", Family::inet6);
  const State state = compile();
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(rules_of(state, "APP"),
              ElementsAre("-d 10.0.0.1/32 -p tcp -m tcp --dport 22 -j ACCEPT",
                          "-j REJECT --reject-with icmp-port-unreachable", ""));
  EXPECT_THAT(rules_of(state, "APP", "mangle", Family::inet6),
              ElementsAre("-d fd00::1/128 -j DROP"));
}

TEST_P(Compile, AListOfAddressesBecomesARuleForEach) {
  want("APP",
       {"-j A1", "-s 10.0.0.1,10.0.0.2 -j DROP", "-p tcp -m multiport --dports 1,2", "-j A1"});
  want("A1", {});
  const State state = compile();
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(rules_of(state, "APP"),
              ElementsAre("-j A1", "-s 10.0.0.1/32 -j DROP", "-s 10.0.0.2/32 -j DROP",
                          "-p tcp -m multiport --dports 1,2", "-j A1"));
}

TEST_P(Compile, KeepsTheTopAndTheEndOfASharedChainApart) {
  want_shared("INPUT", {"-s 10.0.0.1 -j DROP", "-s 10.0.0.2,10.0.0.3 -j DROP"}, {"-j LOG"});
  const State state = compile();
  const auto* input = state.find<SharedChain>({Family::inet, "filter", "INPUT"});
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(input->insert, SizeIs(3));
  EXPECT_THAT(texts(input->append), ElementsAre("-m comment --comment plumbline -j LOG"));
}

TEST_P(Compile, EveryRefusedRuleIsNamedAtItsPlace) {
  want("APP", {"-j DROP", "--frobnicate 1", "-m nosuch", "-j ACCEPT", "-p tcp --dport nosuch",
               "-j ACCEPT -j DROP"});
  want("OTHER", {"-s 10.0.0.1 word", "-j RETURN"}, "nat");
  compile();
  EXPECT_THAT(errors(), testing::UnorderedElementsAre(HasSubstr("101: "), HasSubstr("102: "),
                                                      HasSubstr("104: "), HasSubstr("105: "),
                                                      HasSubstr("200: ")));
  EXPECT_THAT(errors().front(), HasSubstr("'--frobnicate 1': unknown option \"--frobnicate\""));
}

TEST_P(Compile, WhatOnlyTheKernelRefusesIsNamedToo) {
  want("APP", {"-j DROP", "-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu", "-j ACCEPT"});
  want("LATE", {"-j LOG", "-m owner --uid-owner 0 -j ACCEPT"});
  want_shared("INPUT", {"-j APP", "-j LATE"});
  want_shared("OUTPUT", {"-j ACCEPT"}, {"-j LATE"});
  compile();
  // The rule is good by itself: it is the jump that brings packets of the wrong hook to it.
  EXPECT_THAT(errors(), ElementsAre(testing::AllOf(HasSubstr("301: "), HasSubstr("the kernel"))));
}

TEST_P(Compile, ManyBadRulesAreAllNamed) {
  Rules rules;
  for (int i = 0; i < 60; ++i) {
    rules.push_back("-s 10.0.0.1 -j DROP");
    if (i % 3 == 0) rules.push_back("--nonsense");
  }
  want("APP", rules);
  compile();
  EXPECT_THAT(errors(), SizeIs(20));
}

TEST_P(Compile, AJumpToAChainThatIsNotThereIsNoFault) {
  want("APP", {"-j DOCKER-USER", "-g NOT-YET", "-j DOCKER-USER"});
  have("DOCKER-USER", {});
  const State state = compile();
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(rules_of(state, "APP"),
              ElementsAre("-j DOCKER-USER", "-g NOT-YET", "-j DOCKER-USER"));
}

TEST_P(Compile, JumpsThatLeadBackAreRefused) {
  want("A", {"-j DROP", "-j B"});
  want("B", {"-g C"});
  want("C", {"-j A"});
  want("SELF", {"-j SELF"});
  want("D", {"-j THEIRS"});
  have("THEIRS", {"-j D"});
  compile();
  EXPECT_THAT(errors(), testing::UnorderedElementsAre(HasSubstr("leads back to 'C'"),
                                                      HasSubstr("leads back to 'SELF'"),
                                                      HasSubstr("leads back to 'D'")));
}

TEST_P(Compile, NoRuleCanJumpToABuiltInChain) {
  want("A", {"-j OUTPUT"});
  compile();
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("built-in")));
}

TEST_P(Compile, AnotherNameDatabaseIsNoticed) {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    GTEST_SKIP() << "no mount namespace can be made here";
  }
  const std::string services = testing::TempDir() + "plumbline-services";
  const auto write = [&](const std::string& text) { std::ofstream(services) << text; };
  write("plumb 4242/tcp\n");
  ASSERT_EQ(mount(services.c_str(), "/etc/services", nullptr, MS_BIND, nullptr), 0);
  want("APP", {"-p tcp --dport plumb -j DROP"});
  EXPECT_THAT(rules_of(compile(), "APP"), ElementsAre("-p tcp -m tcp --dport 4242 -j DROP"));
  write("plumb 43434/tcp\n");
  EXPECT_THAT(rules_of(compile(), "APP"), ElementsAre("-p tcp -m tcp --dport 43434 -j DROP"));
}

TEST_P(Compile, ARuleNamesASetThatNeedNotBeThere) {
  want("APP", {"-m set --match-set banned src,dst -j DROP", "-j SET --add-set banned src"});
  const State state = compile();
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(rules_of(state, "APP"), ElementsAre("-m set --match-set banned src,dst -j DROP",
                                                  "-j SET --add-set banned src"));
  EXPECT_THAT(needs(*state.find<Chain>({Family::inet, "filter", "APP"})),
              ElementsAre(Need(NeedsSet{"banned"})));
}

/// Where bytes are compared the rule can be kept, but whoever saves and restores it has another.
TEST_P(Compile, ARuleThatIptablesReadsBackAsAnotherIsRefusedOrWarnedOf) {
  want("A", {"-p ipcomp -m ipcomp ! --ipcompspi :", "-j DROP"});
  compile();
  if (GetParam() == io::Backend::legacy) {
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("reads that back as another")));
  } else {
    EXPECT_THAT(errors(), IsEmpty());
  }
  ASSERT_THAT(diagnostics_.warnings, SizeIs(GetParam() == io::Backend::nft ? 1 : 0));
}

TEST_P(Compile, AnUnchangedSpecStartsNoProgram) {
  want("APP", {"-s 10.0.0.1,10.0.0.2 -j ACCEPT", "-j NOT-YET"});
  const State first = compile();
  // A rule left in the scratch namespace by hand is still there: nothing was loaded again.
  wire::Request trace = wire::FirewallRestore{Family::inet, "*filter\n:TRACE-IT - [0:0]\nCOMMIT\n"};
  ASSERT_EQ(scratch_->exchange(std::span(&trace, 1)).front().error, 0);
  EXPECT_EQ(compile(), first);
  wire::Request dump = wire::FirewallDump{};
  EXPECT_THAT(scratch_->exchange(std::span(&dump, 1)).front().text, HasSubstr("TRACE-IT"));
  want("MORE", {});
  compile();
  EXPECT_THAT(scratch_->exchange(std::span(&dump, 1)).front().text,
              testing::Not(HasSubstr("TRACE-IT")));
}

TEST_P(Compile, TenThousandRulesTakeSeconds) {
  Rules rules;
  for (int i = 0; i < 10'000; ++i) {
    rules.push_back("-s 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) +
                    ".1 -p tcp --dport 443 -j ACCEPT");
  }
  want("APP", rules);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(rules_of(compile(), "APP"), SizeIs(10'000));
  const std::chrono::duration<double> first = std::chrono::steady_clock::now() - start;
  EXPECT_LT(first.count(), 20.0);  // About one on an idle machine; here to catch the quadratic.
  RecordProperty("seconds", std::to_string(first.count()));
}

}  // namespace

}  // namespace plumbline::engine
