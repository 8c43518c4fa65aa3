// What the engine makes of answers that a kernel seldom gives, from a host that gives nothing else.

#include <gmock/gmock.h>

#include "plumbline/engine/apply.hpp"
#include "plumbline/firewall/observe/ruleset.hpp"
#include "plumbline/firewall/tables/nfnetlink.hpp"
#include "plumbline/io/host.hpp"
#include "src/engine/not_put_back.hpp"

namespace plumbline::engine {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::ThrowsMessage;
using testing::UnorderedElementsAre;

/// Answers whatever it is asked with one error.
class Answering final : public io::Host {
 public:
  explicit Answering(int error) : error_(error) {}

  std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override {
    return {requests.size(), wire::Reply{error_, "as the test wants it", {}, {}}};
  }
  void answer(int error) { error_ = error; }

 private:
  int error_;
};

TEST(Answers, AShortageIsNoMissingIpset) {
  Answering host(ENOENT);
  firewall::Nfnetlink kernel(host);
  EXPECT_EQ(kernel.find_set("guests"), std::nullopt);
  host.answer(EMFILE);
  EXPECT_THAT([&] { static_cast<void>(kernel.find_set("guests")); },
              ThrowsMessage<io::HostError>(HasSubstr("ipset guests cannot be seen")));
}

TEST(Answers, AShortageIsNotWhatAnIpsetIsCalledFromThenOn) {
  Answering host(ENOBUFS);
  firewall::Nfnetlink kernel(host);
  EXPECT_THAT([&] { static_cast<void>(kernel.set_name(3)); },
              ThrowsMessage<io::HostError>(HasSubstr("an ipset of a rule cannot be seen")));
  host.answer(ENOENT);
  EXPECT_EQ(kernel.set_name(3), "no set of index 3");
}

TEST(Answers, AShortageIsNoSysctlThatCannotBeWritten) {
  State have;
  have.of<Sysctl>().push_back({"net/ipv4/ip_forward", "1"});
  memory::Memory memory;
  memory.earlier.of<Sysctl>().push_back({"net/ipv4/ip_forward", "0"});
  Answering host(ENFILE);
  EXPECT_THAT([&] { find_refusals(host, {}, have, memory); },
              ThrowsMessage<io::HostError>(HasSubstr("net.ipv4.ip_forward cannot be looked at")));
  EXPECT_THAT(memory.refused, IsEmpty());
  host.answer(EROFS);
  find_refusals(host, {}, have, memory);
  EXPECT_THAT(memory.refused, UnorderedElementsAre(Pair("sysctl net.ipv4.ip_forward", testing::_)));
}

StepReport written(const std::string& path, const std::string& value, int error) {
  Step step;
  step.key = Sysctl::Key{path};
  step.after = Sysctl{path, value};
  step.action = Action::create;
  step.phase = Phase::main;
  Plan plan;
  plan.steps.push_back(step);
  LinkNames links;
  links.add(7, *IfName::parse("eth0"));
  Answering host(error);
  firewall::Ruleset ruleset;
  return apply(host, ruleset, plan, {std::move(links), {}, false}).steps.at(0);
}

TEST(Answers, ALinkWithoutIpv6TakesNone) {
  EXPECT_EQ(written("net/ipv6/conf/eth0/disable_ipv6", "1", ENOENT).result, StepResult::done);
  EXPECT_EQ(written("net/ipv6/conf/eth0/accept_ra", "0", ENOENT).result, StepResult::done);
  for (const auto& [path, value, error] :
       {std::tuple{"net/ipv6/conf/eth0/disable_ipv6", "0", ENOENT},
        {"net/ipv6/conf/eth0/disable_ipv6", "1", EACCES},
        {"net/ipv6/conf/eth0/forwarding", "0", ENOENT},
        {"net/ipv6/conf/all/disable_ipv6", "1", ENOENT},
        {"net/ipv4/conf/eth0/accept_ra", "0", ENOENT}}) {
    EXPECT_EQ(written(path, value, error).result, StepResult::failed) << path << " " << value;
  }
}

}  // namespace
}  // namespace plumbline::engine
