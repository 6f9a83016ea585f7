"""What both edges share of management: questions read strictly, answers, resources of plain shapes."""
