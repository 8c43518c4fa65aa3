// What the installed iptables makes of rules, in a scratch namespace.

#include "plumbline/firewall/compile/compile.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>

#include "tests/firewall/compiling.hpp"
#include "tests/support/covered.hpp"

namespace plumbline::engine {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Compile = Compiling;

INSTANTIATE_TEST_SUITE_P(Backends, Compile, both_backends, backend_name);

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
  const std::string services = testing::TempDir() + "plumbline-services";
  const auto write = [&](const std::string& text) { std::ofstream(services) << text; };
  write("plumb 4242/tcp\n");
  const auto covered = test::Covered::if_allowed(services, "/etc/services");
  if (!covered) GTEST_SKIP() << "nothing can be mounted here";
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
