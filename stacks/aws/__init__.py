"""What a stack declares of the AWS account that it is deployed to."""
