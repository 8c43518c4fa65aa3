#include "story.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "plumbline/plan/render.hpp"

namespace plumbline::daemon {

std::vector<std::string> tell_steps(const Plan& plan) {
  Plan steps;
  steps.steps = plan.steps;
  const std::string text = render_text(steps, false);
  std::vector<std::string> lines;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    if (line.starts_with("  ")) line.remove_prefix(2);
    // The closing sentence counts what is planned; tell_summary() counts what was done.
    if (!line.empty() && !line.starts_with("Plan:")) lines.emplace_back(line);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return lines;
}

std::string tell_summary(const Plan& plan) {
  const Summary done = summary(plan);
  std::string text;
  const std::array<std::pair<std::size_t, std::string_view>, 4> parts{{{done.create, " created"},
                                                                       {done.update, " updated"},
                                                                       {done.replace, " replaced"},
                                                                       {done.remove, " removed"}}};
  for (const auto& [count, what] : parts) {
    if (count == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::to_string(count);
    text += what;
  }
  return text;
}

std::vector<std::string> tell_blocked(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Blocked& blocked : plan.blocked) {
    std::string line = "blocked: " + format(blocked.key) + " waits for ";
    for (std::size_t i = 0; i < blocked.waits_for.size(); ++i) {
      if (i != 0) line += ", ";
      line += blocked.waits_for[i];
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace plumbline::daemon
